#pragma once

#include <optional>
#include <vector>

#include "diffuse/bench/comparison.hpp"
#include "pace.hpp"

namespace diffuse {

/// One contender and what a case asks of it.
struct Task {
  Pace::Side side = Pace::Side::ours;
  const ContenderSpec* spec = nullptr;
  Contender* contender = nullptr;
  Workload workload;
  std::vector<Batch> batches;  // of the workload, on the device
  std::size_t next_batch = 0;

  void call() { contender->run(batches[next_batch++ % batches.size()]); }
};

Task make_task(Pace::Side side, const ContenderSpec& spec, Contender& contender, Workload workload);

/// Operations of a mean call; nothing where they are not known.
std::optional<double> flops_of(const Task& task, BenchMode mode);
/// The amount of work of a mean call.
double work_units(const Task& task, BenchMode mode);

Pace::Key pace_key(const Task& task, const BenchCase& which, Precision precision);

}  // namespace diffuse
