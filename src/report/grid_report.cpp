#include "diffuse/report/grid_report.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "diffuse/base/progress.hpp"
#include "diffuse/report/svg_chart.hpp"
#include "report/html.hpp"
#include "report/sections.hpp"

namespace diffuse {
namespace {

constexpr std::size_t kMostShown = 60;  // of the chart

struct ShownMetric {
  std::string label;
  double factor = 1;
};

ShownMetric shown(ValidationMetric metric) {
  switch (metric) {
    case ValidationMetric::macro_f1:
      return {"validation macro-F1", 1};
    case ValidationMetric::loss:
      return {"validation loss", 1};
    default:
      return {"validation accuracy (%)", 100};
  }
}

const std::optional<Spread>& chosen(const CombinationFigures& figures, ValidationMetric metric) {
  return metric == ValidationMetric::macro_f1 ? figures.macro_f1
         : metric == ValidationMetric::loss   ? figures.loss
                                              : figures.accuracy;
}

std::optional<double> chosen(const GridRun& run, ValidationMetric metric) {
  if (!run.failure.empty()) return std::nullopt;
  return metric == ValidationMetric::macro_f1 ? run.macro_f1
         : metric == ValidationMetric::loss   ? std::optional(run.loss)
                                              : std::optional(run.accuracy);
}

std::string chart_html(const GridReport& report) {
  const auto [label, factor] = shown(report.metric);
  SpreadChart chart{.title = report.seeds > 1
                                 ? fmt::format("Mean and standard deviation over {} seeds; small "
                                               "marks are the seeds",
                                               report.seeds)
                                 : "One seed each",
                    .x_label = label,
                    .rows = {}};
  for (const CombinationFigures& figures : report.figures) {
    const std::optional<Spread>& spread = chosen(figures, report.metric);
    if (!spread || chart.rows.size() == kMostShown) continue;
    SpreadRow& row = chart.rows.emplace_back();
    row.label = fmt::format("{}: {}", figures.combination + 1,
                            combination_text(report, figures.combination));
    row.mean = factor * spread->mean;
    if (spread->deviation) row.deviation = factor * *spread->deviation;
    if (report.seeds < 2) continue;
    for (const GridRun& run : report.runs)
      if (run.combination == figures.combination)
        if (const auto value = chosen(run, report.metric)) row.values.push_back(factor * *value);
  }
  std::string out = "<div class=\"card\">" + spread_chart_svg(chart) + "</div>\n";
  if (report.figures.size() > kMostShown)
    out += fmt::format("<p class=\"note\">The best {} of {} combinations.</p>\n", kMostShown,
                       format_count(std::ssize(report.figures)));
  return out;
}

std::string table_html(const GridReport& report) {
  std::size_t left_columns = 0;
  const auto cells = grid_cells(report, left_columns);
  std::string out = "<div class=\"card scroll\"><table>\n";
  for (std::size_t line = 0; line < cells.size(); ++line) {
    out += line == 0 ? "<thead><tr>" : "<tr>";
    for (std::size_t column = 0; column < cells[line].size(); ++column) {
      const char* style = column < left_columns ? "" : " class=\"number\"";
      out += line == 0
                 ? fmt::format("<th scope=\"col\"{}>{}</th>", style, html_text(cells[line][column]))
                 : fmt::format("<td{}>{}</td>", style, html_text(cells[line][column]));
    }
    out += line == 0 ? "</tr></thead>\n<tbody>\n" : "</tr>\n";
  }
  return out + "</tbody>\n</table></div>\n";
}

}  // namespace

std::string grid_report_html(const GridReport& report) {
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>{0}</title>\n<style>\n{1}{2}"
      "</style>\n</head>\n<body>\n<main>\n<h1>{0}</h1>\n",
      html_text(report.name), page_css(), chart_css());
  out +=
      fmt::format("<p class=\"subtitle\">{} combinations, {} seed{} each, {} validation rows</p>\n",
                  format_count(std::ssize(report.figures)), report.seeds,
                  report.seeds == 1 ? "" : "s", format_count(report.rows));
  if (!report.figures.empty() && report.figures.front().verdict == GridVerdict::best)
    out += fmt::format("<p>Best: <strong>{}</strong> (combination {})</p>\n",
                       html_text(combination_text(report, report.figures.front().combination)),
                       report.figures.front().combination + 1);
  out += "<h2>Figures of the validation rows</h2>\n" + chart_html(report);
  out += "<h2>All combinations</h2>\n" + table_html(report) + "<ul>\n";
  for (const std::string& remark : grid_remarks(report))
    out += fmt::format("<li>{}</li>\n", html_text(remark));
  return out + "</ul>\n</main>\n</body>\n</html>\n";
}

}  // namespace diffuse
