#include "grid_store.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>

#include "base/json_fields.hpp"
#include "base/json_reader.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"

namespace diffuse::cli {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kGridFile = "grid.json";
constexpr const char* kResultsFile = "results.jsonl";

std::string result_line(const fs::path& run_dir, const Grid& grid, const GridRun& run) {
  Json json;
  json["combination"] = run.combination + 1;
  json["seed"] = run.seed;
  json["values"] = Json::object();
  for (const auto& [key, value] : grid.points[run.combination].values)
    json["values"][key] = Json::parse(value);
  if (run.failure.empty()) {
    json["accuracy"] = run.accuracy;
    json["macro_f1"] = run.macro_f1 ? Json(*run.macro_f1) : Json();
    json["loss"] = run.loss;
    json["rows"] = run.rows;
    json["updates"] = run.updates;
    json["best_update"] = run.best_update;
    json["training_time_s"] = run.training_time_s;
    json["memory_bytes"] = run.memory_bytes;
  } else {
    json["failure"] = run.failure;
  }
  json["folder"] =
      fs::relative(grid_run_directory(run_dir, run.combination, run.seed), run_dir).string();
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// `text` as a field of a CSV file.
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

std::string csv_text(const Grid& grid, const std::vector<GridRun>& runs) {
  std::string out = "combination,seed";
  for (const std::string& key : grid.keys) out += "," + key;
  out += ",accuracy,macro_f1,loss,rows,updates,best_update,training_time_s,memory_bytes,failure\n";
  for (const GridRun& run : runs) {
    out += fmt::format("{},{}", run.combination + 1, run.seed);
    for (const auto& [key, value] : grid.points[run.combination].values) {
      const Json json = Json::parse(value);
      out += "," + csv_field(json.is_string() ? json.get<std::string>() : value);
    }
    if (run.failure.empty())
      out += fmt::format(",{},{},{},{},{},{},{},{},\n", run.accuracy,
                         run.macro_f1 ? fmt::format("{}", *run.macro_f1) : "", run.loss, run.rows,
                         run.updates, run.best_update, run.training_time_s, run.memory_bytes);
    else
      out += ",,,,,,,,," + csv_field(run.failure) + "\n";
  }
  return out;
}

GridRun read_result(std::string_view line, const std::string& place, const Grid& grid) {
  const nlohmann::json json = read_json_object(line, place);
  const JsonFields fields(json, place);
  const std::int64_t number = fields.count("combination");
  if (number < 1 || number > std::ssize(grid.points))
    throw DataError(
        fmt::format("{}: combination is {}; expected 1 to {}", place, number, grid.points.size()));
  GridRun run{.combination = static_cast<std::size_t>(number - 1), .seed = fields.count("seed")};
  if (json.contains("failure")) {
    run.failure = fields.text("failure");
    return run;
  }
  run.accuracy = fields.finite_number("accuracy");
  run.macro_f1 = fields.optional_number("macro_f1");
  run.loss = fields.number("loss");
  run.rows = fields.count("rows");
  run.updates = fields.count("updates");
  run.best_update = fields.count("best_update");
  run.training_time_s = fields.finite_number("training_time_s");
  run.memory_bytes = fields.count("memory_bytes");
  return run;
}

/// Calls `take` for each line of `text`, without its end.
template <class Take>
void visit_lines(std::string_view text, const Take& take) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    take(text.substr(0, end));
    text.remove_prefix(std::min(text.size(), end + 1));
  }
}

}  // namespace

bool is_grid(const fs::path& run_dir) {
  std::error_code ignored;
  return fs::is_regular_file(run_dir / kGridFile, ignored);
}

void write_grid(const fs::path& run_dir, const GridSettings& settings, const Grid& grid) {
  const Json json = {{"seeds", settings.seeds},
                     {"keep_checkpoints", settings.keep_checkpoints},
                     {"grid", Json::parse(grid_json(grid))}};
  write_file_atomically(run_dir / kGridFile, json.dump(2) + "\n");
}

GridSettings read_stored_grid(const fs::path& run_dir, const Config& base, Grid& grid) {
  const std::string file = (run_dir / kGridFile).string();
  const std::string text = read_file(file);
  const nlohmann::json json = read_json_object(text, file);
  const JsonFields fields(json, file);
  const GridSettings settings{.seeds = fields.count("seeds"),
                              .keep_checkpoints = fields.flag("keep_checkpoints")};
  if (settings.seeds < 1 || !json.contains("grid"))
    throw DataError(
        fmt::format("{}: expected at least one seed, and the values as \"grid\"", file));
  grid = parse_grid(Json::parse(text)["grid"].dump(), file, base);  // in the order of the file
  return settings;
}

fs::path grid_run_directory(const fs::path& run_dir, std::size_t combination, std::int64_t seed) {
  return run_dir / "runs" / fmt::format("{:03}-seed{}", combination + 1, seed);
}

std::vector<RowAnswer> read_answers(const fs::path& folder) {
  const fs::path file = folder / kGridAnswersFile;
  std::vector<RowAnswer> answers;
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return answers;
  const std::string text = read_file(file);
  bool whole = true;
  bool heading = true;
  visit_lines(text, [&](std::string_view line) {
    if (std::exchange(heading, false)) return;
    const std::size_t gold = line.find('\t');
    const std::size_t predicted = std::min(line.find('\t', gold + 1), line.size());
    const std::size_t probability = line.find('\t', predicted + 1);
    std::uint64_t row = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), row);
    whole = whole && error == std::errc() && gold != std::string_view::npos &&
            end == line.data() + gold && probability != std::string_view::npos;
    if (!whole) return;
    answers.push_back({row, line.substr(gold + 1, predicted - gold - 1) ==
                                line.substr(predicted + 1, probability - predicted - 1)});
  });
  if (!whole) answers.clear();
  std::ranges::sort(answers, {}, &RowAnswer::row);
  return answers;
}

void write_results(const fs::path& run_dir, const Grid& grid, std::vector<GridRun> runs) {
  std::ranges::sort(runs, {},
                    [](const GridRun& run) { return std::tuple(run.combination, run.seed); });
  std::string lines;
  for (const GridRun& run : runs) lines += result_line(run_dir, grid, run);
  write_file_atomically(run_dir / kResultsFile, lines);
  write_file_atomically(run_dir / "results.csv", csv_text(grid, runs));
}

std::vector<GridRun> read_results(const fs::path& run_dir, const Grid& grid) {
  std::vector<GridRun> runs;
  const fs::path file = run_dir / kResultsFile;
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return runs;
  const std::string text = read_file(file);
  std::size_t number = 0;
  visit_lines(text, [&](std::string_view line) {
    GridRun run = read_result(line, fmt::format("{}:{}", file.string(), ++number), grid);
    run.answers = read_answers(grid_run_directory(run_dir, run.combination, run.seed));
    if (!run.failure.empty() || !run.answers.empty()) runs.push_back(std::move(run));
  });
  return runs;
}

}  // namespace diffuse::cli
