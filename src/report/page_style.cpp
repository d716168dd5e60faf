#include "report/sections.hpp"

namespace diffuse {

std::string page_css() {
  return R"css(:root {
  color-scheme: light dark;
  --page: #f6f8fa; --card: #ffffff; --border: #d8dee4; --text: #1f2328; --muted: #59636e;
  --right: 0 114 178; --wrong: 213 94 0; --alarm: #b42318; --alarm-surface: #fef1ef;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0d1117; --card: #161b22; --border: #2d343d; --text: #e6edf3; --muted: #9da7b3;
    --right: 56 139 214; --wrong: 235 110 40; --alarm: #ff9a8f; --alarm-surface: #2d1715;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--text); line-height: 1.45;
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
}
main { max-width: 1200px; margin: 0 auto; padding: 32px 20px 48px; }
h1 { font-size: 28px; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 20px; margin: 40px 0 12px; overflow-wrap: anywhere; }
h3 { font-size: 14px; margin: 0 0 10px; }
.subtitle, .facts, .note { color: var(--muted); }
.subtitle { margin: 6px 0 0; overflow-wrap: anywhere; }
.facts { margin: 0 0 14px; }
.note { font-size: 13px; margin: 10px 0 0; }
.alarm {
  margin: 18px 0 0; padding: 12px 16px; border: 1px solid var(--alarm); border-radius: 8px;
  background: var(--alarm-surface); color: var(--alarm); overflow-wrap: anywhere;
}
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(240px, 42%), 1fr)); gap: 12px; margin: 22px 0 0; }
.figures > div, .card, details {
  background: var(--card); border: 1px solid var(--border); border-radius: 8px;
}
.figures > div { padding: 12px 14px; min-width: 0; }
.figures dt { font-size: 13px; color: var(--muted); }
.figures dd { margin: 0; font-size: 12.5px; color: var(--muted); }
.figures .value {
  font-size: 22px; line-height: 1.3; font-weight: 600; color: var(--text);
  overflow-wrap: anywhere; font-variant-numeric: tabular-nums;
}
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(480px, 100%), 1fr)); gap: 14px; }
.charts + .charts { margin-top: 14px; }
.charts.three { grid-template-columns: repeat(auto-fill, minmax(min(360px, 100%), 1fr)); }
.split { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 472px); gap: 14px; align-items: start; }
.card { padding: 14px; min-width: 0; overflow-x: auto; }
.card + .card, .split + .card, .card + .split { margin-top: 14px; }
.charts .card + .card { margin-top: 0; }
.card .chart { margin: 0 auto; min-width: 340px; }
.charts .chart { width: 100%; }
.scroll { overflow-x: auto; }
.tall { max-height: 560px; overflow-y: auto; }
.tall thead th { position: sticky; top: 0; background: var(--card); }
table { border-collapse: collapse; font-size: 13.5px; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 10px; text-align: left; vertical-align: top; border-bottom: 1px solid var(--border); }
thead th { color: var(--muted); font-weight: 500; vertical-align: bottom; }
tbody th { font-weight: 500; }
tbody tr:last-child > * { border-bottom: 0; }
.number { text-align: right; white-space: nowrap; }
.classes, .errors, .configuration { width: 100%; }
.classes th[scope="row"], .label { overflow-wrap: anywhere; min-width: 10em; }
.label { max-width: 18em; }
.label.short { white-space: nowrap; }
.bar {
  background: linear-gradient(to left, rgb(var(--right) / 0.2) calc(100% * var(--part)), transparent 0)
    no-repeat right 4px top 4px / calc(100% - 8px) calc(1.45em + 2px);
}
.split .classes th, .split .classes td { padding-left: 8px; padding-right: 8px; }
.errors { min-width: 760px; }
.errors .text { overflow-wrap: anywhere; }
mark { color: inherit; padding: 0 1px; border-radius: 2px; }
mark.for {
  background: rgb(var(--wrong) / calc(0.45 * var(--a)));
  text-decoration: underline 2px rgb(var(--wrong)); text-underline-offset: 3px;
}
mark.against {
  background: rgb(var(--right) / calc(0.45 * var(--a)));
  text-decoration: underline dotted 2px rgb(var(--right)); text-underline-offset: 3px;
}
.confusion td, .confusion th { border: 1px solid var(--card); padding: 6px 9px; }
.confusion td { text-align: right; min-width: 3.6em; }
.confusion thead th { text-align: right; }
.confusion thead th:first-child { text-align: left; }
.confusion .name { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.confusion tbody .name { max-width: 15em; }
.confusion .corner { font-size: 12px; white-space: nowrap; }
.confusion .right { background: rgb(var(--right) / var(--a, 0)); }
.confusion .wrong { background: rgb(var(--wrong) / var(--a, 0)); }
.confusion .none { color: var(--muted); }
.upright thead .name { writing-mode: vertical-rl; transform: rotate(180deg); max-height: 12em; margin-left: auto; }
.confusion.upright { font-size: 12.5px; }
.confusion.upright td { min-width: 0; padding: 4px; }
.confusion.upright thead th { padding: 6px 3px; }
details { margin-top: 40px; padding: 12px 14px; }
summary { cursor: pointer; font-weight: 600; }
details .scroll { margin-top: 10px; }
code { font: 12.5px ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
@media (max-width: 960px) { .split { grid-template-columns: minmax(0, 1fr); } }
@media print { body { background: none; } .card, .figures > div { break-inside: avoid; } .tall { max-height: none; } }
)css";
}

}  // namespace diffuse
