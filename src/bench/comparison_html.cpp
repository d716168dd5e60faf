#include <fmt/core.h>

#include <cmath>
#include <map>
#include <set>
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

double memory_mb(const std::vector<Measurement>& measurements) {
  for (const Measurement& m : measurements) {
    if (m.memory && m.memory->peak_bytes() > 0)
      return static_cast<double>(m.memory->peak_bytes()) / 1e6;
  }
  return std::nan("");
}

LineChart chart_of(std::string title, std::string unit, const ChartSeries& ours,
                   const ChartSeries& other) {
  LineChart chart;
  chart.title = std::move(title);
  chart.x.label = "tokens of a text";
  chart.x.scale = Scale::logarithmic;
  chart.y.label = std::move(unit);
  chart.y.scale = Scale::logarithmic;
  chart.series = {ours, other};
  return chart;
}

std::string charts_html(const Comparison& comparison) {
  std::map<CurveGroup, std::vector<const CaseResult*>> groups;
  for (const CaseResult& result : comparison.cases) {
    if (result.which.seq_len > 0)
      groups[{result.which.mode, result.which.batch_size}].push_back(&result);
  }
  std::string out;
  for (const auto& [group, results] : groups) {
    std::set<std::int64_t> lengths;
    for (const CaseResult* result : results) lengths.insert(result->which.seq_len);
    if (lengths.size() < 2) continue;
    ChartSeries our_time{comparison.ours.name, {}};
    ChartSeries other_time{comparison.other.name, {}};
    ChartSeries our_memory{comparison.ours.name, {}};
    ChartSeries other_memory{comparison.other.name, {}};
    for (const CaseResult* result : results) {
      const auto x = static_cast<double>(result->which.seq_len);
      if (const Measurement* m = fastest(result->ours))
        our_time.points.push_back({x, m->median_s() * 1e3});
      if (const Measurement* m = fastest(result->other))
        other_time.points.push_back({x, m->median_s() * 1e3});
      our_memory.points.push_back({x, memory_mb(result->ours)});
      other_memory.points.push_back({x, memory_mb(result->other)});
    }
    const std::string name =
        fmt::format("{}, batch {}", bench_mode_name(group.mode), group.batch_size);
    out += "<div class=\"charts\">\n";
    out += line_chart_svg(chart_of(name + ": time of a call", "ms", our_time, other_time));
    out += line_chart_svg(chart_of(name + ": peak memory", "MB", our_memory, other_memory));
    out += "</div>\n";
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
  const std::string title =
      fmt::format("{} against {}", comparison.ours.name, comparison.other.name);
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>{0}</title>\n<style>\n{1}{2}"
      "td, th {{ white-space: nowrap; }}\n"
      "</style>\n</head>\n<body>\n<main>\n<h1>{0}</h1>\n",
      html_text(title), page_css(), chart_css());
  if (const std::string sentence = comparison_sentence(comparison); !sentence.empty())
    out += fmt::format("<p>{}</p>\n", html_text(sentence));
  const Cells ratios = ratio_cells(comparison);
  if (ratios.size() > 1) out += "<h2>Ratios</h2>\n" + table_html(ratios, 1);
  if (comparison.accuracy)
    out += fmt::format("<p>Accuracy {}</p>\n",
                       html_text(paired_line(*comparison.accuracy, comparison.other.name)));
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
