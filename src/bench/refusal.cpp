#include "refusal.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "diffuse/base/progress.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/model/kernel_choice.hpp"
#include "diffuse/model/model_description.hpp"
#include "diffuse/train/memory_estimate.hpp"

namespace diffuse {
namespace {

/// Of the batch with most, its texts as long as the longest.
double token_pairs(const Task& task) {
  double pairs = 0;
  for (std::size_t i = 0; i < task.workload.batches.size(); ++i) {
    const std::vector<std::int64_t> lengths = task.workload.lengths(i);
    const auto longest = static_cast<double>(*std::max_element(lengths.begin(), lengths.end()));
    pairs = std::max(pairs, static_cast<double>(lengths.size()) * longest * longest);
  }
  return pairs;
}

std::int64_t expected_bytes(const Task& task, const BenchCase& which, Precision precision) {
  Config config = task.spec->config;
  if (which.seq_len > 0) config.tokenizer.max_tokens = which.seq_len;
  const ModelShape& shape = task.spec->shape;
  const at::Device device = task.contender->device();
  const ModelType type = config.model.type;
  // Asked for by name where it cannot be had, it is refused elsewhere.
  const bool impossible = config.train.kernel == Kernel::fused &&
                          !fused_kernel_problem(type, device, precision).empty();
  const Kernel kernel =
      impossible ? Kernel::reference : chosen_kernel(config.train.kernel, type, device, precision);
  const MemoryEstimate estimate = estimate_memory(
      config, precision, task.contender->parameter_count(), task.workload.largest_batch_tokens(),
      {.classes = shape.class_count,
       .vocab_size = shape.vocab_size,
       .threads = which.threads,
       .kernel = kernel,
       .on_cpu = device.is_cpu(),
       .token_pairs = device.is_cpu() ? token_pairs(task) : 0});
  // Inference frees each layer's rows: two layers' worth are alive at a time.
  return which.mode == BenchMode::train ? estimate.total()
                                        : estimate.weights + estimate.activations / 4;
}

}  // namespace

std::string refusal_for_size(const Task& task, const BenchCase& which, Precision precision) {
  const Config& config = task.spec->config;
  const std::int64_t longest = description_of(config).longest_text(config);
  if (longest > 0 && which.seq_len > longest)
    return fmt::format("longer than its {} positions", longest);
  const std::int64_t bytes = expected_bytes(task, which, precision);
  if (task.contender->device().is_cpu() && bytes > available_memory_bytes())
    return fmt::format("about {}, but {} of memory are free",
                       format_bytes(static_cast<double>(bytes)),
                       format_bytes(static_cast<double>(available_memory_bytes())));
  return "";
}

bool is_affordable(const BenchPlan& plan, double call_s) {
  return expected_time_s(plan.timing, call_s) <= plan.budget_s;
}

std::string refusal_for_time(const TriedPrecision& tried, const BenchPlan& plan) {
  if (!tried.call_s) return "";
  if (is_affordable(plan, *tried.call_s)) return "";
  const double needed_s = expected_time_s(plan.timing, *tried.call_s);
  return fmt::format("about {} a call, {} in all, beyond --budget {:g}",
                     format_duration(*tried.call_s), format_duration(needed_s), plan.budget_s);
}

}  // namespace diffuse
