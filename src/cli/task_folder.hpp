#pragma once

#include <string>

#include "diffuse/tasks/task_files.hpp"
#include "task_data.hpp"

namespace diffuse::cli {

inline constexpr const char* kDatasetFile = "dataset.json";

/// What would keep the files of a task from `output.out`, before the work: throws UsageError. A
/// folder that holds anything is replaced only where that was asked for and all of it was made by
/// this verb.
void check_task_folder(const TaskOutput& output);

}  // namespace diffuse::cli
