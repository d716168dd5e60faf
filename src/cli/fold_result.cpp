#include "fold_result.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <span>
#include <system_error>
#include <utility>

#include "diffuse/base/files.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/statistics.hpp"
#include "diffuse/base/table.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/eval/missed_classes.hpp"
#include "diffuse/eval/report.hpp"
#include "diffuse/model/checkpoint.hpp"
#include "train_result.hpp"

namespace diffuse::cli {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kAnswersFile = "answers.safetensors";

Json json_figure(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

std::string folds_table(const CrossValidation& result) {
  using Align = Table::Align;
  Table table({"fold", "trained on", "rows", "accuracy", "macro-F1", "training time"},
              {Align::right, Align::right, Align::right, Align::right, Align::right, Align::right});
  for (std::size_t i = 0; i < result.folds.size(); ++i) {
    const FoldFigures& fold = result.folds[i];
    table.add_row({std::to_string(i + 1), format_count(fold.training_rows),
                   format_count(fold.metrics.count),
                   fmt::format("{:.2f} %", 100 * fold.metrics.accuracy),
                   fold.metrics.macro_f1 ? fmt::format("{:.4f}", *fold.metrics.macro_f1) : "n/a",
                   format_duration(fold.training_time_s)});
  }
  return table.text();
}

}  // namespace

void write_fold_answers(const fs::path& fold_dir, const FoldAnswers& answers) {
  const auto size = std::ssize(answers.scores);
  at::Tensor scores = at::empty({size}, at::kFloat);
  std::ranges::copy(answers.scores, scores.mutable_data_ptr<float>());
  at::Tensor time = at::empty({1}, at::kDouble);
  *time.mutable_data_ptr<double>() = answers.training_time_s;
  save_tensors(fold_dir / kAnswersFile, {{"scores", scores}, {"training_time_s", time}});
}

std::optional<FoldAnswers> read_fold_answers(const fs::path& fold_dir, std::int64_t rows,
                                             std::int64_t classes) {
  const fs::path file = fold_dir / kAnswersFile;
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return std::nullopt;
  const at::Tensor scores = at::empty({rows * classes}, at::kFloat);
  const at::Tensor time = at::empty({1}, at::kDouble);
  load_tensors(file, {{"scores", scores}, {"training_time_s", time}});
  const std::span values(scores.const_data_ptr<float>(), static_cast<std::size_t>(rows * classes));
  return FoldAnswers{.scores = {values.begin(), values.end()},
                     .training_time_s = *time.const_data_ptr<double>()};
}

std::vector<float> in_row_order(const std::vector<FoldAnswers>& answers,
                                std::span<const std::int64_t> fold_of, std::int64_t width) {
  const auto size = static_cast<std::size_t>(width);
  std::vector<std::size_t> used(answers.size());  // rows of each fold that are in the result
  std::vector<float> scores;
  for (const std::int64_t fold : fold_of) {
    if (fold < 0 || fold >= std::ssize(answers)) continue;
    const auto f = static_cast<std::size_t>(fold);
    const std::span row = std::span(answers[f].scores).subspan(used[f]++ * size, size);
    scores.insert(scores.end(), row.begin(), row.end());
  }
  return scores;
}

CrossValidation cross_validation(const FoldPlan& plan, const std::vector<FoldAnswers>& answers) {
  CrossValidation result;
  const std::int64_t classes = plan.rows().names.size();
  const auto width = static_cast<std::size_t>(classes);
  result.probabilities = in_row_order(answers, plan.fold_of(), classes);
  std::vector<std::int32_t> gold;
  for (std::size_t place = 0; place < plan.rows().size(); ++place)
    if (plan.fold_of(place) >= 0) gold.push_back(plan.rows().labels[place]);
  std::vector<std::int64_t> class_rows(width);
  for (const std::int32_t label : gold) ++class_rows[static_cast<std::size_t>(label)];
  result.all = compute_metrics(result.probabilities, gold, classes);
  result.all.majority = majority_of(result.all, class_rows);
  std::vector<double> accuracies;
  for (std::size_t fold = 0; fold < answers.size(); ++fold) {
    const std::vector<std::int32_t> own = plan.labels(static_cast<std::int64_t>(fold));
    result.folds.push_back({.training_rows = std::ssize(gold) - std::ssize(own),
                            .metrics = compute_metrics(answers[fold].scores, own, classes),
                            .training_time_s = answers[fold].training_time_s});
    accuracies.push_back(result.folds.back().metrics.accuracy);
  }
  result.mean_accuracy = mean(accuracies);
  result.deviation_accuracy = sample_standard_deviation(accuracies);
  return result;
}

void write_out_of_fold(const fs::path& path, const DataConfig& data, const FoldPlan& plan,
                       const CrossValidation& result) {
  const Labels& names = plan.rows().names;
  const auto width = static_cast<std::size_t>(names.size());
  const bool weighted = !data.weight_column.empty();
  std::string out;
  std::size_t row = 0;
  visit_rows(data, [&](std::size_t place, std::string_view text, double weight) {
    if (plan.fold_of(place) < 0) return;
    Json json;
    json["label"] = names.name(plan.rows().labels[place]);
    json["text"] = std::string(text);
    json["fold"] = plan.fold_of(place) + 1;
    if (weighted) json["weight"] = weight;
    Json& shares = json["probabilities"] = Json::object();
    for (std::size_t c = 0; c < width; ++c) {
      // Six digits: what a reader sees, and a third of the file.
      constexpr double kDigits = 1e6;
      const auto share = static_cast<double>(result.probabilities[row * width + c]);
      shares[names.names()[c]] = std::round(share * kDigits) / kDigits;
    }
    ++row;
    out += json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  });
  write_file_atomically(path, out);
}

std::string cross_validation_text(const CrossValidation& result, const Labels& labels,
                                  const fs::path& run_dir) {
  const Metrics& all = result.all;
  std::string text = folds_table(result);
  if (text.back() != '\n') text += '\n';
  text += "\ncross-validated " + accuracy_line(all);
  text += fmt::format("  ({} folds: mean {:.2f} %, sd {:.2f})\n", result.folds.size(),
                      100 * result.mean_accuracy, 100 * result.deviation_accuracy.value_or(0));
  text += fmt::format("cross-validated majority  {}\n", majority_text(all, labels));
  if (all.macro_f1) text += fmt::format("cross-validated macro-F1  {:.4f}\n", *all.macro_f1);
  if (result.ensemble) text += "ensemble test " + accuracy_line(result.ensemble->metrics) + "\n";
  const std::string run = relative_if_shorter(run_dir);
  text += fmt::format("out-of-fold predictions  {}\nrun directory  {}\n",
                      relative_if_shorter(run_dir / "predictions.jsonl"), run);
  text += fmt::format("\nNext:\n  diffuse train --config {}    (one model, of all rows)\n",
                      shell_quoted((fs::path(run) / "config.json").string()));
  if (fs::exists(fold_directory(run_dir, 0) / "checkpoints"))  // --ensemble keeps them
    text += fmt::format("  echo 'a text to classify' | diffuse predict --checkpoint {}\n",
                        shell_quoted(run));
  return text;
}

std::string cross_validation_json(const CrossValidation& result, const Labels& labels,
                                  const fs::path& run_dir) {
  const Metrics& all = result.all;
  Json json;
  json["accuracy"] = all.accuracy;
  json["accuracy_interval"] = {all.accuracy_interval.low, all.accuracy_interval.high};
  json["rows"] = all.count;
  json["majority_accuracy"] = all.majority ? Json(all.majority->accuracy) : Json();
  json["macro_f1"] = json_figure(all.macro_f1);
  json["mean_loss"] = all.mean_loss;
  json["ece"] = all.ece;
  json["missed_classes"] = Json::array();
  for (const std::int32_t c : missed_classes(all)) json["missed_classes"].push_back(labels.name(c));
  json["mean_accuracy"] = result.mean_accuracy;
  json["deviation_accuracy"] = json_figure(result.deviation_accuracy);
  json["folds"] = Json::array();
  for (const FoldFigures& fold : result.folds)
    json["folds"].push_back({{"training_rows", fold.training_rows},
                             {"rows", fold.metrics.count},
                             {"accuracy", fold.metrics.accuracy},
                             {"macro_f1", json_figure(fold.metrics.macro_f1)},
                             {"training_time_s", fold.training_time_s}});
  json["ensemble"] =
      result.ensemble ? Json::parse(evaluation_json(*result.ensemble, labels)) : Json();
  json["run_directory"] = run_dir.string();
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace diffuse::cli
