#include "task.hpp"

#include "diffuse/model/model_description.hpp"

namespace diffuse {
namespace {

std::optional<double> flops_of(const ContenderSpec& spec, BenchMode mode,
                               const std::vector<std::int64_t>& lengths) {
  const auto forward = forward_flops(spec.config, spec.shape.class_count, lengths);
  if (!forward) return std::nullopt;
  return mode == BenchMode::train ? 3 * *forward : *forward;
}

}  // namespace

Task make_task(const ContenderSpec& spec, Contender& contender, Workload workload) {
  Task task;
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
    const auto flops = flops_of(*task.spec, mode, task.workload.lengths(i));
    if (!flops) return std::nullopt;
    sum += *flops;
  }
  return sum / static_cast<double>(task.workload.batches.size());
}

double work_of(const Task& task, BenchMode mode) {
  return flops_of(task, mode).value_or(task.workload.tokens_a_batch());
}

double work_of(const ContenderSpec& spec, BenchMode mode, std::int64_t texts, std::int64_t tokens) {
  const std::vector<std::int64_t> lengths(static_cast<std::size_t>(texts), tokens);
  return flops_of(spec, mode, lengths).value_or(static_cast<double>(texts * tokens));
}

}  // namespace diffuse
