#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/data/loading.hpp"
#include "diffuse/eval/evaluator.hpp"
#include "diffuse/train/trainer.hpp"

namespace diffuse::cli {

/// `path` as seen from the working directory where that is the shorter text.
std::string relative_if_shorter(const std::filesystem::path& path);

/// Runs the checkpoint `folder` over `view`, which `part` sums up, in `precision` (resolved).
/// `class_rows`: training rows of each class. `what` names the work in the progress line:
/// "testing". `ngram_logits`: of the rows, [n, C], where the model has n-grams.
Evaluation evaluate_checkpoint(const std::filesystem::path& folder, const DatasetView& view,
                               const PartSummary& part, const std::vector<std::int64_t>& class_rows,
                               at::Device device, Precision precision, const std::string& what,
                               std::vector<float> ngram_logits);

/// Warns of what `metrics`, of the rows called `name`, say of a model that has not learned: no
/// better than its most frequent class, or classes of which it gets no row right.
void warn_of_figures(const Metrics& metrics, const Labels& labels, const std::string& name);

/// What `train --json` prints: one object, `indent` 2, with the same figures; `test` as
/// `evaluation_json` gives it, empty for null. `rehearsed`: what the run's rehearsal was right on,
/// where it had one. `chosen`: what a search changed, empty without one.
std::string training_summary_json(const TrainingResult& result, const TrainingData& data,
                                  const std::string& test,
                                  const std::optional<Evaluation>& rehearsed,
                                  const std::filesystem::path& run_dir, const std::string& chosen);

/// What `train` prints: the accuracy on test and validation rows beside what the most frequent
/// class alone would reach, macro-F1, how many rows chose the checkpoint, training time, where the
/// run is, what to do next. `evaluated`: the best checkpoint on the test rows or, where there are
/// none, on the validation rows. The others as above.
std::string training_summary(const TrainingResult& result, const TrainingData& data,
                             const std::optional<Evaluation>& evaluated,
                             const std::optional<Evaluation>& rehearsed,
                             const std::filesystem::path& run_dir, const std::string& chosen);

}  // namespace diffuse::cli
