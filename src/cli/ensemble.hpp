#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "diffuse/eval/evaluator.hpp"
#include "model_options.hpp"

namespace diffuse::cli {

/// The run directories whose best checkpoints answer together where `path` is a run of
/// `train --folds K --ensemble`; empty where it is anything else. Throws CheckpointError where the
/// run was made without --ensemble or lacks one of its models.
std::vector<std::filesystem::path> ensemble_members(const std::filesystem::path& path);

/// The models that `options.checkpoint` stands for: those of an ensemble, or one. Throws as
/// open_model does.
std::vector<OpenedModel> open_models(const ModelOptions& options);

/// What an evaluation of `opened` on `view` needs: its branches, its temperature, the rows of its
/// training.
EvaluationOptions options_of(const OpenedModel& opened, const DatasetView& view,
                             std::int64_t batch_size);

/// Evaluates what all of `members` answer together. `options.checkpoint` is not read; `evaluate`
/// evaluates one of them, opened, on the same rows as the others. Labels: of all of them, written
/// to `labels`. Throws CheckpointError if they differ.
Evaluation evaluate_ensemble(const std::vector<std::filesystem::path>& members,
                             const ModelOptions& options,
                             const std::function<Evaluation(OpenedModel&)>& evaluate,
                             Labels& labels);

}  // namespace diffuse::cli
