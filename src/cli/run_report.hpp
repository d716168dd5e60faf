#pragma once

#include <filesystem>
#include <string>

#include "diffuse/config/config.hpp"
#include "diffuse/data/loading.hpp"
#include "diffuse/eval/evaluator.hpp"

namespace diffuse::cli {

/// What of a run a report shows beside its curves.
struct ReportedEvaluation {
  const Evaluation& evaluation;
  const DatasetView& view;           ///< the rows
  std::string what;                  ///< "test" or "validation"
  std::filesystem::path checkpoint;  ///< that was evaluated: it explains its errors
};

/// Writes the run's `report.html` from its `metrics.jsonl` and, where it is not null, `evaluated`.
/// A failure is a warning: the run itself is not worth less for it.
void write_run_report(const std::filesystem::path& run_dir, const Config& config,
                      const TrainingData& data, const ReportedEvaluation* evaluated);

}  // namespace diffuse::cli
