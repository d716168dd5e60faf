#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "diffuse/data/loading.hpp"
#include "diffuse/eval/evaluator.hpp"
#include "diffuse/model/classifier.hpp"
#include "diffuse/report/metric_lines.hpp"
#include "diffuse/train/baseline_figures.hpp"

namespace diffuse {

/// Evaluates `classifier` on the validation rows.
/// Nothing if a stop signal came before it was through. `before_batch` and `on_progress`: as in
/// EvaluationOptions, as `branches`.
std::optional<Evaluation> evaluate_validation(
    Classifier& classifier, const TrainingData& data, const TrainConfig& config,
    Precision precision, const std::optional<BranchOptions>& branches,
    const std::function<void(const Batch&)>& before_batch,
    const std::function<void(std::int64_t, std::int64_t)>& on_progress);

void add_validation(HistoryEpoch& line, const Evaluation& validation);
/// Logs the classes of which no validation row was answered right. It is no warning yet: the first
/// evaluations of many a sound training have some. `told`: what was said the last time, which is
/// not said again.
void tell_missed_classes(const Metrics& validation, const Labels& labels, std::string& told);
/// The peaks since they were last reset.
void add_memory(HistoryEpoch& line, at::Device device);
/// An epoch's time at the pace of the period's `updates`, from `line.time`, and with it and the
/// memory `baseline` (may be null) beside it.
void add_epoch_time(HistoryEpoch& line, std::int64_t updates, std::int64_t updates_per_epoch,
                    const BaselineFigures* baseline);

}  // namespace diffuse
