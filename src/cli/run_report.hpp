#pragma once

#include <filesystem>

#include "diffuse/config/config.hpp"
#include "diffuse/data/loading.hpp"
#include "diffuse/eval/evaluator.hpp"

namespace diffuse::cli {

/// Writes the run's `report.html` from its `metrics.jsonl` and, where there is one, an evaluation
/// of `view` (the rows called `what`: "test" or "validation"). A failure is a warning: the run
/// itself is not worth less for it.
void write_run_report(const std::filesystem::path& run_dir, const Config& config,
                      const TrainingData& data, const Evaluation* evaluation,
                      const DatasetView& view, const std::string& what);

}  // namespace diffuse::cli
