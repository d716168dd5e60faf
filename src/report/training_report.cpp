#include "diffuse/report/training_report.hpp"

#include <fmt/core.h>

#include "diffuse/base/progress.hpp"
#include "diffuse/report/svg_chart.hpp"
#include "report/html.hpp"
#include "report/sections.hpp"

namespace diffuse {
namespace {

constexpr std::size_t kLongestValue = 2000;

std::string configuration_html(const TrainingReport& report) {
  if (report.configuration.empty()) return "";
  std::string out = fmt::format(
      "<details>\n<summary>Configuration ({} parameters)</summary>\n<div class=\"scroll\"><table "
      "class=\"configuration\">\n<thead><tr><th scope=\"col\">parameter</th><th "
      "scope=\"col\">value</th></tr></thead>\n<tbody>\n",
      report.configuration.size());
  for (const auto& [key, value] : report.configuration)
    out += fmt::format("<tr><th scope=\"row\"><code>{}</code></th><td><code>{}</code></td></tr>\n",
                       html_text(key), html_text(value, kLongestValue));
  return out + "</tbody>\n</table></div>\n</details>\n";
}

std::string notes_html(const RunHistory& history) {
  std::string out;
  if (history.replaced_lines > 0)
    out += fmt::format(
        "<p class=\"note\">{} lines of <code>metrics.jsonl</code> are of updates that "
        "were made again after a resume; they are not shown.</p>\n",
        format_count(history.replaced_lines));
  if (history.cut_off_lines > 0)
    out += fmt::format(
        "<p class=\"note\">{} cut-off {} of <code>metrics.jsonl</code> {} left "
        "out.</p>\n",
        format_count(history.cut_off_lines), history.cut_off_lines == 1 ? "line" : "lines",
        history.cut_off_lines == 1 ? "is" : "are");
  return out;
}

}  // namespace

std::string training_report_html(const TrainingReport& report) {
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n",
      html_text(report.name.empty() ? "run" : report.name));
  out += "<style>\n" + page_css() + chart_css() + "</style>\n</head>\n<body>\n<main>\n";
  out += key_figures_html(report);
  out += training_html(report.history);
  out += data_html(report);
  if (report.evaluated) out += evaluation_html(*report.evaluated);
  out += configuration_html(report);
  out += notes_html(report.history);
  return out + "</main>\n</body>\n</html>\n";
}

}  // namespace diffuse
