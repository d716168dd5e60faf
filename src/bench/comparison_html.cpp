#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "diffuse/base/progress.hpp"
#include "diffuse/bench/comparison_report.hpp"
#include "diffuse/report/svg_chart.hpp"
#include "report/html.hpp"
#include "report/sections.hpp"
#include "result_text.hpp"

namespace diffuse {
namespace {

std::string table_html(const Cells& cells, std::size_t left_columns) {
  std::string out = "<div class=\"scroll\"><table>\n";
  for (std::size_t row = 0; row < cells.size(); ++row) {
    out += row == 0 ? "<thead><tr>" : "<tr>";
    for (std::size_t column = 0; column < cells[row].size(); ++column) {
      const std::string text = html_text(cells[row][column]);
      if (row == 0) {
        out += fmt::format("<th scope=\"col\">{}</th>", text);
      } else if (column == 0) {
        out += fmt::format("<th scope=\"row\">{}</th>", text);
      } else {
        out += fmt::format("<td{}>{}</td>", column < left_columns ? " class=\"text\"" : "", text);
      }
    }
    out += row == 0 ? "</tr></thead>\n<tbody>\n" : "</tr>\n";
  }
  return out + "</tbody>\n</table></div>\n";
}

/// What a curve is drawn through: the lengths of one mode and batch size.
struct CurveGroup {
  BenchMode mode;
  std::int64_t batch_size;
  auto operator<=>(const CurveGroup&) const = default;
};

LineChart chart_of(std::string title, std::string unit, std::vector<ChartSeries> series) {
  LineChart chart;
  chart.title = std::move(title);
  chart.x.label = "tokens of a text";
  chart.x.scale = Scale::logarithmic;
  chart.y.label = std::move(unit);
  chart.y.scale = Scale::logarithmic;
  chart.series = std::move(series);
  chart.height = 300 + 12 * static_cast<double>(chart.series.size());  // room for the legend
  return chart;
}

/// Why a model has no measurement; empty where it has one.
std::string reason(const ModelResult& model) {
  if (fastest(model) != nullptr || model.measurements.empty()) return "";
  return model.measurements.front().not_run;
}

/// The two charts of one group: its results are of rising lengths.
std::string charts_of(const Comparison& comparison, const std::string& name,
                      const std::vector<const CaseResult*>& results) {
  std::vector<ChartSeries> times;
  std::vector<ChartSeries> memories;
  for (std::size_t i = 0; i < comparison.models.size(); ++i) {
    ChartSeries time{comparison.models[i].name, {}};
    ChartSeries memory{comparison.models[i].name, {}};
    for (const CaseResult* result : results) {
      const ModelResult& model = result->models[i];
      const auto x = static_cast<double>(result->which.seq_len);
      if (const Measurement* m = fastest(model)) time.points.push_back({x, m->median_s() * 1e3});
      memory.points.push_back({x, least_memory_bytes(model).value_or(std::nan("")) / 1e6});
      if (const std::string why = reason(model); !why.empty() && time.end.empty())
        time.end = memory.end = fmt::format("{} tokens: {}", result->which.seq_len, why);
    }
    times.push_back(std::move(time));
    memories.push_back(std::move(memory));
  }
  return "<div class=\"charts\">\n" +
         line_chart_svg(chart_of(name + ": time of a call", "ms", std::move(times))) +
         line_chart_svg(chart_of(name + ": peak memory", "MB", std::move(memories))) + "</div>\n";
}

std::string charts_html(const Comparison& comparison) {
  std::map<CurveGroup, std::vector<const CaseResult*>> groups;
  for (const CaseResult& result : comparison.cases) {
    if (result.which.seq_len > 0)
      groups[{result.which.mode, result.which.batch_size}].push_back(&result);
  }
  std::string out;
  for (auto& [group, results] : groups) {
    std::stable_sort(results.begin(), results.end(), [](const auto* a, const auto* b) {
      return a->which.seq_len < b->which.seq_len;
    });
    if (results.front()->which.seq_len == results.back()->which.seq_len) continue;
    out += charts_of(comparison,
                     fmt::format("{}, batch {}", bench_mode_name(group.mode), group.batch_size),
                     results);
  }
  return out.empty() ? out : "<h2>Over the length</h2>\n" + out;
}

std::string list_html(const std::vector<std::string>& items) {
  std::string out = "<ul>\n";
  for (const std::string& item : items) out += fmt::format("<li>{}</li>\n", html_text(item));
  return out + "</ul>\n";
}

}  // namespace

std::string comparison_html(const Comparison& comparison) {
  const std::string title = comparison_title(comparison);
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>{0}</title>\n<style>\n{1}{2}"
      "td, th {{ white-space: nowrap; }}\n"
      "</style>\n</head>\n<body>\n<main>\n<h1>{0}</h1>\n",
      html_text(title), page_css(), chart_css());
  for (const std::string& sentence : comparison_sentences(comparison))
    out += fmt::format("<p>{}</p>\n", html_text(sentence));
  const Cells ratios = ratio_cells(comparison);
  if (ratios.size() > 1) out += "<h2>Ratios</h2>\n" + table_html(ratios, 2);
  for (const std::string& line : accuracy_lines(comparison))
    out += fmt::format("<p>{}</p>\n", html_text(line));
  out += charts_html(comparison);
  out += "<h2>Times and memory</h2>\n" + table_html(measurement_cells(comparison), 4);
  if (const Cells tried = tried_cells(comparison); tried.size() > 1)
    out += "<h2>Precisions tried</h2>\n" + table_html(tried, 2);
  out += "<h2>Models</h2>\n" + table_html(model_cells(comparison), 3);
  if (!remarks(comparison).empty()) out += "<h2>Remarks</h2>\n" + list_html(remarks(comparison));
  std::vector<std::string> environment;
  for (const auto& [key, value] : comparison.environment)
    environment.push_back(fmt::format("{}: {}", key, value));
  environment.push_back("measured in: " + format_duration(comparison.elapsed_s));
  out += "<h2>Machine</h2>\n" + list_html(environment);
  return out + "</main>\n</body>\n</html>\n";
}

}  // namespace diffuse
