#pragma once

#include <optional>
#include <vector>

#include "diffuse/bench/comparison.hpp"

namespace diffuse {

/// One contender and what a case asks of it.
struct Task {
  const ContenderSpec* spec = nullptr;
  Contender* contender = nullptr;
  Workload workload;
  std::vector<Batch> batches;  // of the workload, on the device
  std::size_t next_batch = 0;

  void call() { contender->run(batches[next_batch++ % batches.size()]); }
};

Task make_task(const ContenderSpec& spec, Contender& contender, Workload workload);

/// Operations of a mean call; nothing where they are not known.
std::optional<double> flops_of(const Task& task, BenchMode mode);
/// The amount of work of a mean call: its operations, or its tokens where those are not known.
double work_of(const Task& task, BenchMode mode);
/// The same of a call of `texts` texts of `tokens` tokens each.
double work_of(const ContenderSpec& spec, BenchMode mode, std::int64_t texts, std::int64_t tokens);

}  // namespace diffuse
