#include "task.hpp"

#include "diffuse/bench/flops.hpp"

namespace diffuse {

Task make_task(Pace::Side side, const ContenderSpec& spec, Contender& contender,
               Workload workload) {
  Task task;
  task.side = side;
  task.spec = &spec;
  task.contender = &contender;
  task.workload = std::move(workload);
  for (const PackedRows& rows : task.workload.batches)
    task.batches.push_back(make_batch(rows, contender.device()));
  return task;
}

std::optional<double> flops_of(const Task& task, BenchMode mode) {
  double sum = 0;
  for (std::size_t i = 0; i < task.workload.batches.size(); ++i) {
    const auto flops =
        forward_flops(task.spec->config, task.spec->shape.class_count, task.workload.lengths(i));
    if (!flops) return std::nullopt;
    sum += *flops;
  }
  const double forward = sum / static_cast<double>(task.workload.batches.size());
  return mode == BenchMode::train ? 3 * forward : forward;
}

double work_units(const Task& task, BenchMode mode) {
  return work_units(flops_of(task, mode), task.workload.tokens_a_batch());
}

Pace::Key pace_key(const Task& task, const BenchCase& which, Precision precision) {
  return {task.side, which.mode, precision, which.device, which.threads, which.batch_size == 1};
}

}  // namespace diffuse
