#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "diffuse/base/progress.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/report/grid_report.hpp"

namespace diffuse {
namespace {

constexpr const char* kNone = "n/a";

std::string percent_text(const std::optional<Spread>& spread) {
  if (!spread) return kNone;
  std::string text = fmt::format("{:.2f} %", 100 * spread->mean);
  if (spread->deviation) text += fmt::format(" ± {:.2f}", 100 * *spread->deviation);
  return text;
}

std::string spread_text(const std::optional<Spread>& spread) {
  if (!spread) return kNone;
  std::string text = fmt::format("{:.4f}", spread->mean);
  if (spread->deviation) text += fmt::format(" ± {:.4f}", *spread->deviation);
  return text;
}

std::string p_text(const std::optional<double>& p) {
  if (!p) return kNone;
  return *p < 1e-9 ? "< 1e-9" : fmt::format("{:.2g}", *p);
}

std::string points_text(double points) {
  return std::abs(points) < 0.005 ? "0.00" : fmt::format("{:+.2f}", points);
}

/// The numbers of the combinations with `verdict`, "2, 5".
std::string numbers_of(const GridReport& report, GridVerdict verdict) {
  std::vector<std::string> numbers;
  for (const CombinationFigures& figures : report.figures)
    if (figures.verdict == verdict) numbers.push_back(std::to_string(figures.combination + 1));
  return join(numbers, ", ");
}

std::int64_t compared(const GridReport& report) {
  return std::ranges::count_if(report.figures, [](const CombinationFigures& figures) {
    return figures.verdict != GridVerdict::failed;
  });
}

/// The cells of one combination, those of its comparison only if there is one.
std::vector<std::string> line_of(const GridReport& report, const CombinationFigures& figures) {
  std::vector<std::string> line = {std::to_string(figures.combination + 1)};
  const auto& values = report.values[figures.combination];
  line.insert(line.end(), values.begin(), values.end());
  line.push_back(figures.failed == 0 ? std::to_string(figures.seeds)
                                     : fmt::format("{}, {} failed", figures.seeds, figures.failed));
  line.push_back(percent_text(figures.accuracy));
  line.push_back(spread_text(figures.macro_f1));
  line.push_back(spread_text(figures.loss));
  line.push_back(figures.training_time_s ? format_duration(figures.training_time_s->mean) : kNone);
  if (!figures.against_best) return line;
  const GridComparison& comparison = *figures.against_best;
  line.push_back(points_text(-100 * comparison.difference));
  line.push_back(p_text(comparison.rows_p_corrected));
  if (report.seeds > 1) line.push_back(p_text(comparison.seeds_p_corrected));
  return line;
}

}  // namespace

std::string combination_text(const GridReport& report, std::size_t combination) {
  std::vector<std::string> parts;
  for (std::size_t key = 0; key < report.keys.size(); ++key)
    parts.push_back(report.keys[key] + " = " + report.values[combination][key]);
  return parts.empty() ? "the config as it is" : join(parts, ", ");
}

std::vector<std::vector<std::string>> grid_cells(const GridReport& report,
                                                 std::size_t& left_columns) {
  const bool several = report.figures.size() > 1;
  std::vector<std::string> heading = {"#"};
  heading.insert(heading.end(), report.keys.begin(), report.keys.end());
  left_columns = heading.size();
  for (const char* name : {"seeds", "accuracy", "macro-F1", "loss", "training time"})
    heading.emplace_back(name);
  if (several) heading.insert(heading.end(), {"to the best", "p by rows"});
  if (several && report.seeds > 1) heading.emplace_back("p by seeds");
  std::vector<std::vector<std::string>> cells = {heading};
  for (const CombinationFigures& figures : report.figures) {
    cells.push_back(line_of(report, figures));
    cells.back().resize(heading.size());  // empty where there is nothing to compare
  }
  return cells;
}

std::vector<std::string> grid_remarks(const GridReport& report) {
  std::vector<std::string> remarks;
  const auto add = [&](const char* text, GridVerdict verdict) {
    const std::string numbers = numbers_of(report, verdict);
    if (!numbers.empty()) remarks.push_back(fmt::format("{}: {}", text, numbers));
  };
  add("Less accurate than the best (corrected p below 0.05)", GridVerdict::worse);
  add("Less accurate on these rows; too few seeds to say so of others", GridVerdict::rows_only);
  add("Not told apart from the best (corrected p of 0.05 or more)", GridVerdict::equal);
  add("Without figures for all seeds, and not compared", GridVerdict::failed);
  const std::int64_t count = compared(report);
  if (count > 1)
    remarks.push_back(fmt::format("p values are corrected by Holm's rule for {}",
                                  count == 2 ? "the one pair"
                                             : fmt::format("all {} pairs of combinations",
                                                           format_count(count * (count - 1) / 2))));
  for (const GridRun& run : report.runs)
    if (!run.failure.empty())
      remarks.push_back(
          fmt::format("{}, seed {} failed: {}", run.combination + 1, run.seed, run.failure));
  return remarks;
}

}  // namespace diffuse
