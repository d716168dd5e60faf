#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "diffuse/eval/evaluator.hpp"
#include "model_options.hpp"

namespace diffuse::cli {

/// `evaluate` with a progress line on a terminal. `what` names the rows in it. Throws Stopped when
/// a caught signal arrives.
Evaluation evaluate_with_progress(Classifier& classifier, const DatasetView& view,
                                  EvaluationOptions options, const std::string& what);

/// What `opened` answers on the labelled rows of `file`, read as its training data were, by which
/// data.test is tested. `rows`: which of the usable ones; null: all. Throws as load_labelled_file
/// and evaluate_with_progress do.
Evaluation evaluate_file(OpenedModel& opened, const InputFiles& file, const std::vector<bool>* rows,
                         std::int64_t batch_size);

}  // namespace diffuse::cli
