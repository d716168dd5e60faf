#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "diffuse/tasks/listops_files.hpp"
#include "diffuse/tasks/pathfinder_files.hpp"

namespace CLI {
class App;
}

namespace diffuse::cli {

/// Where the files of a task go, and how they are told of.
struct TaskOutput {
  std::string out;
  bool overwrite = false;
  bool json = false;
  std::int64_t threads = 0;
};

struct TaskDataOptions {
  ListOpsTask listops{};
  TaskOutput listops_output{};
  PathfinderTask pathfinder{};
  int contour_length = 14;
  std::optional<int> min_contour_length{};
  std::optional<int> distractors{};
  TaskOutput pathfinder_output{};
  CLI::App* listops_verb = nullptr;     ///< filled by setup_task_data
  CLI::App* pathfinder_verb = nullptr;  ///< likewise
};

/// Declares the verb `data` and its tasks; parsing fills `options`, which must outlive the parser.
CLI::App* setup_task_data(CLI::App& app, TaskDataOptions& options);
/// Makes the files of the task that was named and tells what is in them. Returns the exit code.
int run_task_data(const TaskDataOptions& options);

}  // namespace diffuse::cli
