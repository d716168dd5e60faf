#include <fmt/core.h>

#include "diffuse/base/error.hpp"
#include "diffuse/report/svg_chart.hpp"

namespace diffuse {

std::string chart_css() {
  // Colours after M. Okabe and K. Ito, "Color universal design" (2008), distinct for colour-blind
  // readers; those too pale for a white page are darker, and all are lighter on a dark one.
  return R"css(.chart {
  --chart-text: #1f2328; --chart-muted: #59636e; --chart-grid: #e2e6ea; --chart-axis: #8c959f;
  --chart-surface: #ffffff;
  --chart-0: #0072b2; --chart-1: #d55e00; --chart-2: #009e73; --chart-3: #cc79a7;
  --chart-4: #b87f00; --chart-5: #56a0d3; --chart-6: #6e7781; --chart-7: #7a4fbf;
  display: block; max-width: 100%; height: auto;
  font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
  font-variant-numeric: tabular-nums;
}
@media (prefers-color-scheme: dark) {
  .chart {
    --chart-text: #e6edf3; --chart-muted: #9da7b3; --chart-grid: #2d343d; --chart-axis: #6e7681;
    --chart-surface: #161b22;
    --chart-0: #58b0ec; --chart-1: #ff8b4a; --chart-2: #2fc79c; --chart-3: #e79cc6;
    --chart-4: #e2b33c; --chart-5: #9cd3f7; --chart-6: #9aa4af; --chart-7: #c3a5f5;
  }
}
.chart text { fill: var(--chart-text); }
.chart .title { font-size: 14px; font-weight: 600; }
.chart .tick { font-size: 11px; fill: var(--chart-muted); }
.chart .axis-label { font-size: 11.5px; fill: var(--chart-muted); }
.chart .grid { stroke: var(--chart-grid); stroke-width: 1; }
.chart .faint { stroke-opacity: 0.55; }
.chart .axis { stroke: var(--chart-axis); stroke-width: 1; }
.chart .rule { stroke: var(--chart-axis); stroke-width: 1; stroke-dasharray: 4 3; }
.chart .ideal { stroke: var(--chart-text); stroke-width: 1.4; stroke-dasharray: 5 4; }
.chart .curve { fill: none; stroke: var(--c); stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.chart .dense { stroke-width: 1.4; }
.chart .mark { fill: var(--c); stroke: var(--chart-surface); stroke-width: 1; }
.chart .end { stroke: var(--c); stroke-width: 2.4; fill: none; pointer-events: all; }
.chart .spread { stroke: var(--c); stroke-width: 2; }
.chart .value { fill: var(--c); fill-opacity: 0.45; }
.chart .hit { fill: var(--c); fill-opacity: 0; }
.chart .hit:hover, .chart .mark:hover { fill-opacity: 1; stroke: var(--chart-text); }
.chart .fill { fill: var(--c); }
.chart .fill:hover { opacity: 0.8; }
.chart .s0 { --c: var(--chart-0); } .chart .s1 { --c: var(--chart-1); }
.chart .s2 { --c: var(--chart-2); } .chart .s3 { --c: var(--chart-3); }
.chart .s4 { --c: var(--chart-4); } .chart .s5 { --c: var(--chart-5); }
.chart .s6 { --c: var(--chart-6); } .chart .s7 { --c: var(--chart-7); }
)css";
}

std::string standalone_svg(std::string_view chart) {
  const std::size_t end_of_tag = chart.find('>');
  if (!chart.starts_with("<svg ") || end_of_tag == std::string_view::npos)
    throw Error("A chart file is made of the text of one chart, which begins with <svg.");
  return fmt::format("{}<style>{}svg.chart {{ background: var(--chart-surface); }}\n</style>{}\n",
                     chart.substr(0, end_of_tag + 1), chart_css(), chart.substr(end_of_tag + 1));
}

}  // namespace diffuse
