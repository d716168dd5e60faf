#pragma once

#include <cstdint>
#include <string>

#include "diffuse/bench/comparison.hpp"

namespace diffuse {

/// What a process of its own is asked to do: one model, one case, a few calls.
struct MemoryTask {
  ContenderSpec spec;
  BenchMode mode = BenchMode::train;
  Precision precision = Precision::fp32;  ///< resolved
  std::string device = "cpu";
  int threads = 1;
  std::int64_t batch_size = 1;  ///< for random texts
  std::int64_t seq_len = 1;
  /// Lengths of the texts instead, where they are not all the same.
  std::vector<std::int64_t> lengths{};
};

/// In the process that asks: starts this program anew as `diffuse bench --memory-probe` and reads
/// its answer. A process that the system killed, or that ran out of memory, is an answer too.
/// Throws SystemError if it cannot be started or does not answer.
MemoryFigures probe_memory(const MemoryTask& task);

/// In the process of its own: reads the task, makes the model, makes two calls (the second one has
/// the optimizer's state beside the activations) and gives the answer for stdout. Throws DataError
/// for what is no task.
std::string answer_memory_task(const std::string& task_json);

}  // namespace diffuse
