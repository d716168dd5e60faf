#include "task_report.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <numeric>

#include "diffuse/base/build_info.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/table.hpp"
#include "diffuse/base/text_util.hpp"

namespace diffuse::cli {
namespace {

using TaskJson = nlohmann::ordered_json;

double share(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::string percent_of(std::int64_t part, std::int64_t whole) {
  return fmt::format("{:.1f} %", 100 * share(part, whole));
}

TaskJson file_json(const TaskFile& file, std::int64_t rows) {
  return {{"name", file.name}, {"rows", rows}, {"bytes", file.bytes}, {"xxh3_128", file.xxh3_128}};
}

std::string rows_flags(const SplitRows& rows) {
  return fmt::format("--train-rows {} --validation-rows {} --test-rows {}", rows.train,
                     rows.validation, rows.test);
}

std::string notation_name(ListOpsNotation notation) {
  switch (notation) {
    case ListOpsNotation::words:
      return "words";
    case ListOpsNotation::brackets:
      return "brackets";
    default:
      return "arena";
  }
}

std::string dataset_text(const char* task, std::uint64_t seed, TaskJson rules,
                         const std::string& command, TaskJson files) {
  const TaskJson json = {{"task", task},       {"program", "diffuse " + build_info().version},
                         {"seed", seed},       {"rules", std::move(rules)},
                         {"command", command}, {"files", std::move(files)}};
  return json.dump(2) + "\n";
}

std::string made_text(const TaskMaking& making, std::int64_t rows) {
  return fmt::format("made in     {} on {} {}, {} rows a second\nfolder      {}\n",
                     format_duration(making.seconds), making.threads,
                     making.threads == 1 ? "thread" : "threads",
                     format_count(static_cast<long long>(static_cast<double>(rows) /
                                                         std::max(making.seconds, 1e-3))),
                     making.out);
}

std::string listops_shares(const std::vector<ListOpsSummary>& files) {
  std::array<std::int64_t, kListOpsClasses> classes{};
  std::array<std::int64_t, kListOpsOperators> operators{};
  std::int64_t rows = 0;
  for (const ListOpsSummary& file : files) {
    rows += file.rows;
    for (std::size_t i = 0; i < classes.size(); ++i) classes[i] += file.classes[i];
    for (std::size_t i = 0; i < operators.size(); ++i) operators[i] += file.operators[i];
  }
  std::string text = "values     ";
  for (std::size_t i = 0; i < classes.size(); ++i)
    text += fmt::format("{} {}: {}", i == 0 ? "" : ",", i, percent_of(classes[i], rows));
  const std::int64_t all = std::accumulate(operators.begin(), operators.end(), std::int64_t{0});
  text += "\noperators  ";
  constexpr std::array kNames = {"MIN", "MAX", "MED", "SM"};
  for (std::size_t i = 0; i < operators.size(); ++i)
    text +=
        fmt::format("{} {}: {}", i == 0 ? "" : ",", kNames.at(i), percent_of(operators[i], all));
  return text + "\n";
}

/// How to train on it; nothing without a training file, or in a notation of which the program makes
/// more tokens than there are.
std::string listops_next(const ListOpsTask& task, const std::vector<ListOpsSummary>& files,
                         const std::string& out) {
  if (files.front().split != Split::train || task.notation != ListOpsNotation::words) return "";
  std::string flags;
  for (const ListOpsSummary& file : files)
    flags += fmt::format(" --{} {}", split_name(file.split),
                         shell_quoted(out + (out.ends_with('/') ? "" : "/") + file.file.name));
  return fmt::format(
      "\nNext:\n  diffuse train{} --set tokenizer.max_tokens={} --set ngrams.max=0\n", flags,
      task.rules.max_tokens);
}

}  // namespace

std::string dataset_json(const ListOpsTask& task, const std::vector<ListOpsSummary>& files) {
  const ListOpsRules& rules = task.rules;
  TaskJson list = TaskJson::array();
  for (const ListOpsSummary& file : files) {
    TaskJson json = file_json(file.file, file.rows);
    json["classes"] = file.classes;
    json["operators"] = {{"MIN", file.operators[0]},
                         {"MAX", file.operators[1]},
                         {"MED", file.operators[2]},
                         {"SM", file.operators[3]}};
    json["length"] = {{"min", length_quantile(file, 0)},
                      {"median", length_quantile(file, 0.5)},
                      {"q90", length_quantile(file, 0.9)},
                      {"max", length_quantile(file, 1)}};
    json["duplicates_redrawn"] = file.duplicates;
    list.push_back(std::move(json));
  }
  return dataset_text(
      "listops", task.seed,
      {{"max_depth", rules.max_depth},
       {"max_args", rules.max_arguments},
       {"min_length", rules.min_tokens},
       {"max_length", rules.max_tokens},
       {"notation", notation_name(task.notation)}},
      fmt::format("diffuse data listops --seed {} {} --max-depth {} --max-args {} --min-length {} "
                  "--max-length {} --notation {} --out DIR",
                  task.seed, rows_flags(task.rows), rules.max_depth, rules.max_arguments,
                  rules.min_tokens, rules.max_tokens, notation_name(task.notation)),
      std::move(list));
}

std::string dataset_json(const PathfinderTask& task, const std::vector<PathfinderSummary>& files) {
  TaskJson list = TaskJson::array();
  for (const PathfinderSummary& file : files) {
    TaskJson json = file_json(file.file, file.rows);
    json["classes"] = {file.rows - file.connected, file.connected};
    json["mean_pixel"] = share(file.light, file.rows * kPathfinderPixels);
    json["lit_share"] = share(file.lit, file.rows * kPathfinderPixels);
    json["mean_distractors"] = share(file.distractors, file.rows);
    json["mean_path"] =
        file.connected == 0 ? 0 : file.path_length / static_cast<double>(file.connected);
    json["best_by_distance"] = best_by_distance(file);
    json["markers"] = file_json(file.markers_file, file.rows);
    list.push_back(std::move(json));
  }
  // A number, or one for each of several rules.
  const auto each = [&](int PathfinderRules::*member) {
    TaskJson values = TaskJson::array();
    for (const PathfinderRules& rules : task.rules) values.push_back(rules.*member);
    return values.size() == 1 ? values[0] : values;
  };
  const PathfinderRules& first = task.rules.front();
  const PathfinderRules& last = task.rules.back();
  std::string flags = fmt::format("--contour-length {}", last.contour_length);
  if (task.rules.size() > 1)
    flags = fmt::format("--min-contour-length {} {}", first.contour_length, flags);
  if (last.distractors != pathfinder_rules(last.contour_length).distractors)
    flags += fmt::format(" --distractors {}", last.distractors);
  return dataset_text("pathfinder", task.seed,
                      {{"contour_length", each(&PathfinderRules::contour_length)},
                       {"distractor_length", each(&PathfinderRules::distractor_length)},
                       {"distractors", each(&PathfinderRules::distractors)},
                       {"row_bytes", kPathfinderRowBytes}},
                      fmt::format("diffuse data pathfinder --seed {} {} {} --out DIR", task.seed,
                                  rows_flags(task.rows), flags),
                      std::move(list));
}

std::string making_json(const std::string& dataset, const TaskMaking& making) {
  auto json = TaskJson::parse(dataset);
  json["out"] = making.out;
  json["threads"] = making.threads;
  json["time_s"] = making.seconds;
  return json.dump(2, ' ', false, TaskJson::error_handler_t::replace) + "\n";
}

std::string making_text(const ListOpsTask& task, const std::vector<ListOpsSummary>& files,
                        const TaskMaking& making) {
  using Align = Table::Align;
  Table table({"file", "rows", "size", "shortest", "median", "90 %", "longest"},
              {Align::left, Align::right, Align::right, Align::right, Align::right, Align::right,
               Align::right});
  std::int64_t rows = 0;
  for (const ListOpsSummary& file : files) {
    rows += file.rows;
    std::vector<std::string> cells = {file.file.name, format_count(file.rows),
                                      format_bytes(static_cast<double>(file.file.bytes))};
    for (const double q : {0.0, 0.5, 0.9, 1.0})
      cells.push_back(format_count(length_quantile(file, q)));
    table.add_row(std::move(cells));
  }
  return table.text() + "\n" + listops_shares(files) + made_text(making, rows) +
         listops_next(task, files, making.out);
}

std::string making_text(const PathfinderTask& /*task*/, const std::vector<PathfinderSummary>& files,
                        const TaskMaking& making) {
  using Align = Table::Align;
  Table table({"file", "rows", "size", "connected", "mean pixel", "way", "right by distance"},
              {Align::left, Align::right, Align::right, Align::right, Align::right, Align::right,
               Align::right});
  std::int64_t rows = 0;
  for (const PathfinderSummary& file : files) {
    rows += file.rows;
    const double way =
        file.connected == 0 ? 0 : file.path_length / static_cast<double>(file.connected);
    table.add_row(
        {file.file.name, format_count(file.rows),
         format_bytes(static_cast<double>(file.file.bytes)), percent_of(file.connected, file.rows),
         fmt::format("{:.1f}", share(file.light, file.rows * kPathfinderPixels)),
         fmt::format("{:.1f}", way), fmt::format("{:.1f} %", 100 * best_by_distance(file))});
  }
  return table.text() + "\n" + made_text(making, rows);
}

}  // namespace diffuse::cli
