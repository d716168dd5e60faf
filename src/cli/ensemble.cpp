#include "ensemble.hpp"

#include <fmt/core.h>

#include <system_error>

#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/eval/ensemble.hpp"
#include "fold_plan.hpp"
#include "run_ngrams.hpp"

namespace diffuse::cli {
namespace fs = std::filesystem;
namespace {

void check_same_classes(const fs::path& first, const Labels& labels, const OpenedModel& other) {
  if (other.model.labels.names() == labels.names()) return;
  throw CheckpointError(
      fmt::format("'{}' has other classes than '{}'; an ensemble's models are those of one "
                  "training.",
                  other.folder.string(), first.string()));
}

}  // namespace

std::vector<fs::path> ensemble_members(const fs::path& path) {
  const auto settings = read_fold_settings(path);
  if (!settings) return {};
  if (!settings->ensemble)
    throw CheckpointError(
        fmt::format("'{}' is a cross-validation that kept no model; `train --folds {} --ensemble` "
                    "keeps them, and `train` without --folds makes one of all rows.",
                    path.string(), settings->folds));
  std::vector<fs::path> members;
  for (std::int64_t fold = 0; fold < settings->folds; ++fold) {
    members.push_back(fold_directory(path, fold));
    std::error_code ignored;
    if (fs::exists(members.back() / "test.json", ignored)) continue;  // the last thing it writes
    throw CheckpointError(
        fmt::format("The ensemble '{}' lacks its model {} of {}: go on with it first, diffuse "
                    "train --resume {}",
                    path.string(), fold + 1, settings->folds, path.string()));
  }
  return members;
}

std::vector<OpenedModel> open_models(const ModelOptions& options) {
  std::vector<OpenedModel> models;
  std::vector<fs::path> members = ensemble_members(options.checkpoint);
  if (members.empty()) members = {options.checkpoint};
  for (const fs::path& member : members) {
    ModelOptions own = options;
    own.checkpoint = member.string();
    models.push_back(open_model(own));
    check_same_classes(models.front().folder, models.front().model.labels, models.back());
  }
  return models;
}

EvaluationOptions options_of(const OpenedModel& opened, const DatasetView& view,
                             std::int64_t batch_size) {
  const LoadedModel& model = opened.model;
  EvaluationOptions options;
  options.batch_size = batch_size;
  options.class_count = model.labels.size();
  options.noise_seed = model.config.train.seed;  // as training's own test
  options.precision = opened.precision;
  options.branches = branch_options(model, view, opened.threads);
  options.temperature = model.temperature;
  if (model.data) options.class_rows = model.data->class_rows;
  return options;
}

Evaluation evaluate_ensemble(const std::vector<fs::path>& members, const ModelOptions& options,
                             const std::function<Evaluation(OpenedModel&)>& evaluate,
                             Labels& labels) {
  std::vector<Evaluation> evaluations;
  std::vector<std::int64_t> class_rows;
  for (const fs::path& member : members) {
    ModelOptions own = options;
    own.checkpoint = member.string();
    OpenedModel opened = open_model(own);
    if (evaluations.empty()) {
      labels = opened.model.labels;
      if (opened.model.data) class_rows = opened.model.data->class_rows;
    } else {
      check_same_classes(members.front(), labels, opened);
    }
    evaluations.push_back(evaluate(opened));
    log::debug("{}: {:.2f} % by itself", member.string(),
               100 * evaluations.back().metrics.accuracy);
  }
  return average_evaluations(evaluations, labels.size(), class_rows);
}

}  // namespace diffuse::cli
