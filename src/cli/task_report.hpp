#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "diffuse/tasks/listops_files.hpp"
#include "diffuse/tasks/pathfinder_files.hpp"

namespace diffuse::cli {

/// How the files were made.
struct TaskMaking {
  std::string out;
  double seconds = 0;
  std::int64_t threads = 0;
};

/// `dataset.json`: the task with all that its files depend on, the command that makes them again,
/// and each file's size, hash and figures. Nothing in it depends on machine or time.
std::string dataset_json(const ListOpsTask& task, const std::vector<ListOpsSummary>& files);
std::string dataset_json(const PathfinderTask& task, const std::vector<PathfinderSummary>& files);

/// `dataset` with where, how fast and on how many threads: what --json prints.
std::string making_json(const std::string& dataset, const TaskMaking& making);

/// The same for people; of ListOps also how to train on it.
std::string making_text(const ListOpsTask& task, const std::vector<ListOpsSummary>& files,
                        const TaskMaking& making);
std::string making_text(const PathfinderTask& task, const std::vector<PathfinderSummary>& files,
                        const TaskMaking& making);

}  // namespace diffuse::cli
