#include "grid_output.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <system_error>

#include "base/json_fields.hpp"
#include "base/json_reader.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/table.hpp"
#include "diffuse/base/text_util.hpp"
#include "train_result.hpp"

namespace diffuse::cli {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;

Json spread_json(const std::optional<Spread>& spread) {
  if (!spread) return {};
  return {{"mean", spread->mean},
          {"deviation", spread->deviation ? Json(*spread->deviation) : Json()}};
}

Json optional_json(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

Json comparison_json(const std::optional<GridComparison>& comparison) {
  if (!comparison) return {};
  return {{"difference", comparison->difference},
          {"rows", comparison->rows},
          {"best_right", comparison->best_right},
          {"this_right", comparison->this_right},
          {"rows_p", comparison->rows_p},
          {"rows_p_corrected", comparison->rows_p_corrected},
          {"seeds_p", optional_json(comparison->seeds_p)},
          {"seeds_p_corrected", optional_json(comparison->seeds_p_corrected)}};
}

const char* verdict_name(GridVerdict verdict) {
  switch (verdict) {
    case GridVerdict::best:
      return "best";
    case GridVerdict::worse:
      return "worse";
    case GridVerdict::rows_only:
      return "worse_by_rows";
    case GridVerdict::failed:
      return "failed";
    default:
      return "not_told_apart";
  }
}

Json values_json(const Grid& grid, std::size_t combination) {
  Json json = Json::object();
  for (const auto& [key, value] : grid.points[combination].values) json[key] = Json::parse(value);
  return json;
}

std::string table_text(const std::vector<std::vector<std::string>>& cells,
                       std::size_t left_columns) {
  std::vector<Table::Align> align(cells.front().size(), Table::Align::right);
  for (std::size_t i = 1; i < left_columns; ++i) align[i] = Table::Align::left;
  Table table(cells.front(), align);
  for (std::size_t i = 1; i < cells.size(); ++i) table.add_row(cells[i]);
  std::string text = table.text();
  if (text.back() != '\n') text += '\n';
  return text;
}

std::string test_line(const GridTest& test) {
  const Spread accuracy = spread_of(test.accuracies).value_or(Spread{});
  std::string text = fmt::format("test accuracy  {:.2f} %", 100 * accuracy.mean);
  if (accuracy.deviation) text += fmt::format(" ± {:.2f}", 100 * *accuracy.deviation);
  text += fmt::format("  n = {}", format_count(test.rows));
  if (const auto macro_f1 = spread_of(test.macro_f1s))
    text += fmt::format("  macro-F1 {:.4f}", macro_f1->mean);
  return text + fmt::format("  (combination {}, {} seed{}, each model by itself)\n",
                            test.combination + 1, test.seeds.size(),
                            test.seeds.size() == 1 ? "" : "s");
}

}  // namespace

std::string grid_test_json(const GridTest& test) {
  const Json json = {{"combination", test.combination + 1},
                     {"seeds", test.seeds},
                     {"accuracies", test.accuracies},
                     {"macro_f1s", test.macro_f1s},
                     {"accuracy", spread_json(spread_of(test.accuracies))},
                     {"macro_f1", spread_json(spread_of(test.macro_f1s))},
                     {"rows", test.rows}};
  return json.dump(2) + "\n";
}

std::optional<GridTest> read_grid_test(const fs::path& run_dir) {
  const fs::path file = run_dir / "test.json";
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return std::nullopt;
  const nlohmann::json json = read_json_object(read_file(file), file.string());
  const JsonFields fields(json, file.string());
  return GridTest{.combination = static_cast<std::size_t>(fields.count("combination")) - 1,
                  .seeds = fields.counts("seeds"),
                  .accuracies = fields.finite_numbers("accuracies"),
                  .macro_f1s = fields.finite_numbers("macro_f1s"),
                  .rows = fields.count("rows")};
}

std::string grid_text(const GridSummary& summary) {
  const GridReport& report = summary.report;
  std::size_t left_columns = 0;
  std::string text = table_text(grid_cells(report, left_columns), left_columns) + "\n";
  const std::string run = relative_if_shorter(summary.run_dir);
  const auto file = [&](const char* name) { return relative_if_shorter(summary.run_dir / name); };
  const bool chosen =
      !report.figures.empty() && report.figures.front().verdict == GridVerdict::best;
  if (chosen) {
    const std::size_t best = report.figures.front().combination;
    text += fmt::format("best  {}: {}\n", best + 1, combination_text(report, best));
  } else {
    text += "best  none: no combination has figures for all of its seeds\n";
  }
  text += fmt::format("validation rows  {} with each seed, which chose the checkpoints, too\n",
                      format_count(report.rows));
  for (const std::string& remark : grid_remarks(report)) text += remark + "\n";
  if (summary.test) text += test_line(*summary.test);
  text +=
      fmt::format("a line a run  {}\ntable and plot  {}\n", file("results.csv"), file("grid.html"));
  if (!chosen) return text;
  text += fmt::format("\nNext:\n  diffuse train --config {}\n", shell_quoted(file("best.json")));
  if (report.seeds < 2)
    text += fmt::format("  diffuse grid --resume {} --seeds 5\n", shell_quoted(run));
  else if (summary.has_test && !summary.test)
    text += fmt::format("  diffuse grid --resume {} --test\n", shell_quoted(run));
  return text;
}

std::string grid_summary_json(const GridSummary& summary, const Grid& grid) {
  const GridReport& report = summary.report;
  Json json;
  json["run_directory"] = summary.run_dir.string();
  json["seeds"] = report.seeds;
  json["validation_rows"] = report.rows;
  json["best"] = Json();
  json["combinations"] = Json::array();
  for (const CombinationFigures& figures : report.figures) {
    if (figures.verdict == GridVerdict::best)
      json["best"] = {{"combination", figures.combination + 1},
                      {"values", values_json(grid, figures.combination)}};
    json["combinations"].push_back({{"combination", figures.combination + 1},
                                    {"values", values_json(grid, figures.combination)},
                                    {"seeds", figures.seeds},
                                    {"failed", figures.failed},
                                    {"accuracy", spread_json(figures.accuracy)},
                                    {"macro_f1", spread_json(figures.macro_f1)},
                                    {"loss", spread_json(figures.loss)},
                                    {"training_time_s", spread_json(figures.training_time_s)},
                                    {"memory_bytes", figures.memory_bytes},
                                    {"verdict", verdict_name(figures.verdict)},
                                    {"against_best", comparison_json(figures.against_best)}});
  }
  json["test"] = summary.test ? Json::parse(grid_test_json(*summary.test)) : Json();
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string grid_plan_text(const GridPlan& plan, std::int64_t rows) {
  std::vector<std::vector<std::string>> cells = {{"#"}};
  cells.front().insert(cells.front().end(), plan.grid.keys.begin(), plan.grid.keys.end());
  for (std::size_t i = 0; i < plan.grid.points.size(); ++i) {
    cells.push_back({std::to_string(i + 1)});
    for (const auto& [key, value] : plan.grid.points[i].values)
      cells.back().push_back(grid_value_text(value));
  }
  const std::int64_t seeds = plan.settings.seeds;
  return table_text(cells, cells.front().size()) +
         fmt::format("\n{} runs: {} combination{}, {}; compared on {} validation rows\n",
                     format_count(std::ssize(plan.grid.points) * seeds),
                     format_count(std::ssize(plan.grid.points)),
                     plan.grid.points.size() == 1 ? "" : "s",
                     seeds == 1 ? fmt::format("seed {}", plan.seed(0))
                                : fmt::format("seeds {} to {}", plan.seed(0), plan.seed(seeds - 1)),
                     format_count(rows));
}

std::string grid_plan_json(const GridPlan& plan, std::int64_t rows) {
  Json json;
  json["runs"] = std::ssize(plan.grid.points) * plan.settings.seeds;
  json["seeds"] = Json::array();
  for (std::int64_t i = 0; i < plan.settings.seeds; ++i) json["seeds"].push_back(plan.seed(i));
  json["validation_rows"] = rows;
  json["combinations"] = Json::array();
  for (std::size_t i = 0; i < plan.grid.points.size(); ++i)
    json["combinations"].push_back(values_json(plan.grid, i));
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace diffuse::cli
