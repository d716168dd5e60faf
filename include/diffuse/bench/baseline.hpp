#pragma once

#include <string>

#include "diffuse/config/config.hpp"
#include "diffuse/train/baseline_figures.hpp"

namespace diffuse {

/// In the process that trains: starts this program anew to measure the training of `baseline` (a
/// configuration with the run's data) for at most `limit_s` seconds, reading the data included.
/// Throws SystemError if it fails, with what it said.
BaselineFigures probe_baseline(const Config& baseline, const std::string& name, double limit_s);

/// In the process of its own: reads the task, loads the data, times training steps on batches of
/// the first epoch in the fastest precision and gives the answer for stdout. A batch that would
/// take too long is cut smaller. Throws DataError for what is no task.
std::string answer_baseline_task(const std::string& task_json);

/// The figures as JSON, and back; throws DataError (`place`) for what is none.
std::string baseline_json(const BaselineFigures& figures);
BaselineFigures parse_baseline(const std::string& text, const std::string& place);

}  // namespace diffuse
