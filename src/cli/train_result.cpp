#include "train_result.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/eval/coverage.hpp"
#include "diffuse/eval/missed_classes.hpp"
#include "diffuse/eval/report.hpp"
#include "diffuse/model/checkpoint.hpp"
#include "evaluation.hpp"
#include "output.hpp"
#include "rehearsal.hpp"

namespace diffuse::cli {
namespace fs = std::filesystem;

std::string relative_if_shorter(const fs::path& path) {
  std::error_code error;
  const std::string relative = fs::proximate(path, error).string();
  return !error && !relative.empty() && relative.size() < path.string().size() ? relative
                                                                               : path.string();
}

Evaluation evaluate_checkpoint(const fs::path& folder, const DatasetView& view,
                               const PartSummary& part, const std::vector<std::int64_t>& class_rows,
                               at::Device device, Precision precision, const std::string& what,
                               std::vector<float> ngram_logits) {
  LoadedModel model = load_model(folder);
  model.classifier->to(device);
  model.classifier->use_kernel(model.config.train.kernel, precision);
  EvaluationOptions options;
  options.class_count = model.labels.size();
  options.class_rows = class_rows;
  options.noise_seed = model.config.train.seed;
  options.precision = precision;
  options.temperature = model.temperature;
  options.label_separator = model.config.data.label_separator;
  options.thresholds = model.thresholds;
  if (model.ngrams)
    options.branches =
        BranchOptions{.ngram_logits = std::move(ngram_logits), .factors = model.ngrams->factors};
  Evaluation evaluation = evaluate_with_progress(*model.classifier, view, options, what);
  evaluation.data = part;
  return evaluation;
}

void warn_of_figures(const Metrics& metrics, const Labels& labels, const std::string& name) {
  for (const std::string& text : {majority_warning(metrics, labels, name),
                                  missed_classes_text(metrics, labels.names(), name)})
    if (!text.empty()) log::warning("{}", text);
}

namespace {

/// What always answering training's most frequent class is right on, as a fraction; null where
/// texts have several.
nlohmann::ordered_json validation_majority(const TrainingData& data) {
  if (data.train_file->several_labels()) return nullptr;
  const std::vector<std::int64_t>& rows = data.facts.class_rows;
  const auto most = std::max_element(rows.begin(), rows.end()) - rows.begin();
  const auto counts = count_classes(data.validation, data.labels.size());
  return static_cast<double>(counts[static_cast<std::size_t>(most)]) /
         static_cast<double>(data.validation.size());
}

/// Whether test rows have a file of their own, which eval finds by itself.
bool has_test_file(const TrainingData& data) {
  return std::ranges::any_of(data.hashes,
                             [](const auto& entry) { return entry.first == "data.test"; });
}

/// "95 % of the answers 98.25 %, 90 % 99.11 %, …": what is right of the surest.
std::string surest_text(const Evaluation& evaluation) {
  const auto classes = std::ssize(evaluation.metrics.classes);
  std::vector<std::string> parts;
  for (const CoveragePoint& point :
       points_at_shares(coverage_curve(evaluation.probabilities, evaluation.gold, classes)))
    if (point.coverage < 1)
      parts.push_back(fmt::format("{:.0f} %{} {:.2f} %", 100 * point.coverage,
                                  parts.empty() ? " of the answers" : "", 100 * point.accuracy));
  return parts.empty() ? "too few rows to tell" : join(parts, ", ");
}

}  // namespace

std::string training_summary_json(const TrainingResult& result, const TrainingData& data,
                                  const std::string& test,
                                  const std::optional<Evaluation>& rehearsed,
                                  const fs::path& run_dir, const std::string& chosen) {
  using Json = nlohmann::ordered_json;
  Json json;
  json["test"] = test.empty() ? Json() : Json::parse(test);
  json["validation"] = Json();
  if (data.validation.size() > 0) {
    json["validation"] = {{"accuracy", result.best_accuracy},
                          {"majority_accuracy", validation_majority(data)},
                          {"rows", data.validation.size()},
                          {"update", result.best_update}};
  }
  json["rehearsal"] = Json();
  if (rehearsed) json["rehearsal"] = Json::parse(evaluation_json(*rehearsed, data.labels));
  json["updates"] = result.updates;
  json["stopped_early"] = result.stopped_early;
  json["training_time_s"] = result.training_time_s;
  json["run_directory"] = run_dir.string();
  if (!chosen.empty()) json["chosen"] = chosen;
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string training_summary(const TrainingResult& result, const TrainingData& data,
                             const std::optional<Evaluation>& evaluated,
                             const std::optional<Evaluation>& rehearsed, const fs::path& run_dir,
                             const std::string& chosen) {
  std::string text;
  const bool test = evaluated && data.test.size() > 0;
  const auto add_baseline = [&](const char* part) {
    const Metrics& metrics = evaluated->metrics;
    if (evaluated->branches)
      text += fmt::format("{} branches  {}\n", part, branches_text(*evaluated->branches));
    if (metrics.labels)
      text += fmt::format("{} micro-F1  {}\n", part, micro_f1_text(*metrics.labels));
    else
      text += fmt::format("{} majority  {}\n", part, majority_text(metrics, data.labels));
    if (metrics.macro_f1) text += fmt::format("{} macro-F1  {:.4f}\n", part, *metrics.macro_f1);
    if (!metrics.labels) text += fmt::format("{} surest    {}\n", part, surest_text(*evaluated));
  };
  if (test) {
    text += "test " + accuracy_line(evaluated->metrics) + "\n";
    add_baseline("test");
  }
  if (data.validation.size() > 0) {
    text += fmt::format("validation {}  {:.2f} %  n = {}  at update {} of {}{}\n",
                        data.train_file->several_labels() ? "all labels right" : "accuracy",
                        100 * result.best_accuracy,
                        format_count(static_cast<long long>(data.validation.size())),
                        format_count(result.best_update), format_count(result.updates),
                        result.stopped_early ? " (stopped early)" : "");
    if (evaluated && !test) add_baseline("validation");
  }
  if (rehearsed) text += rehearsal_text(*rehearsed);
  text += data.validation.size() > 0
              ? fmt::format("checkpoint  chosen by {} validation rows\n",
                            format_count(static_cast<long long>(data.validation.size())))
              : fmt::format("checkpoint  the last one, at update {}: no validation rows chose\n",
                            format_count(result.updates));
  const std::string run = relative_if_shorter(run_dir);
  text += fmt::format("training time  {}\n", format_duration(result.training_time_s));
  text += fmt::format("run directory  {}\n", run);
  if (!chosen.empty())
    text += fmt::format("chosen  {}  (diffuse train --config {} repeats it)\n", chosen,
                        shell_quoted((fs::path(run) / "config.json").string()));
  const std::string quoted = shell_quoted(run);
  text += "\nNext:\n";
  text += fmt::format("  diffuse eval --checkpoint {}{}\n", quoted,
                      has_test_file(data) ? "" : " --data FILE");
  text += fmt::format("  echo 'a text to classify' | diffuse predict --checkpoint {}\n", quoted);
  return text;
}

}  // namespace diffuse::cli
