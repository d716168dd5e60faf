#include "evaluation.hpp"

#include <fmt/core.h>

#include "diffuse/base/progress.hpp"
#include "diffuse/base/signals.hpp"

namespace diffuse::cli {

Evaluation evaluate_with_progress(Classifier& classifier, const DatasetView& view,
                                  EvaluationOptions options, const std::string& what) {
  ProgressLine progress;
  options.on_progress = [&](std::int64_t done, std::int64_t total) {
    throw_if_stopped();
    progress.update(fmt::format("{}  {:.0f} %  {} of {} rows", what,
                                100.0 * static_cast<double>(done) / static_cast<double>(total),
                                format_count(done), format_count(total)));
  };
  Evaluation evaluation = evaluate(classifier, view, options);
  progress.clear();
  return evaluation;
}

}  // namespace diffuse::cli
