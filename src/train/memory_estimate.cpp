#include "diffuse/train/memory_estimate.hpp"

#include <c10/util/Exception.h>
#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <new>
#include <numeric>
#include <vector>

#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/model/model_factory.hpp"

namespace diffuse {
namespace {

constexpr std::int64_t kFloatBytes = 4;

/// Tokens of the `batch_size` longest rows: no batch holds more.
std::int64_t largest_batch_tokens(const DatasetView& view, std::int64_t batch_size) {
  std::vector<std::int32_t> lengths;
  lengths.reserve(view.size());
  for (const std::uint32_t row : view.rows) lengths.push_back(view.data->length(row));
  const auto count = std::min(lengths.size(), static_cast<std::size_t>(batch_size));
  const auto end = lengths.begin() + static_cast<std::ptrdiff_t>(count);
  if (end != lengths.end()) std::nth_element(lengths.begin(), end, lengths.end(), std::greater<>());
  return std::accumulate(lengths.begin(), end, std::int64_t{0});
}

/// Floats that one step keeps for one token until backward.
std::int64_t floats_a_step(const ModelConfig& model) {
  const std::int64_t hidden = model.hidden_dim > 0 ? model.hidden_dim : 2 * model.dim;
  std::int64_t rows = 2;  // of model.dim floats each: u and the new state
  if (model.norm != NormPosition::none) rows += 1;
  if (model.alpha_learned) rows += 1;
  // The gradient of W needs the shifted rows; full matrices have them side by side, the own row
  // among them.
  const bool own_row = model.self_neighbour && model.weight == WeightKind::full;
  if (model.weight_learned || model.weight == WeightKind::full)
    rows += 2 * model.radius + (own_row ? 1 : 0);
  switch (model.function) {
    case FunctionKind::linear:
      return (rows + (model.activation == Activation::identity ? 0 : 1)) * model.dim;
    case FunctionKind::mlp:
      return rows * model.dim + 2 * hidden;
    case FunctionKind::glu:
      return rows * model.dim + 4 * hidden;
  }
  return rows * model.dim;
}

}  // namespace

MemoryEstimate estimate_memory(const Config& config, std::int64_t parameter_count,
                               const DatasetView& train) {
  MemoryEstimate estimate;
  const std::int64_t parameters = parameter_count * kFloatBytes;
  estimate.weights = parameters + count_constants(config.model) * kFloatBytes;
  estimate.gradients = parameters;
  estimate.optimizer = 2 * parameters;
  estimate.average = config.train.ema_decay > 0 ? parameters : 0;
  estimate.largest_batch_tokens = largest_batch_tokens(train, config.train.batch_size);
  std::int64_t floats_a_token = config.model.dim;                              // the initial state
  if (config.model.embedding_dropout > 0) floats_a_token += config.model.dim;  // its mask
  floats_a_token += config.model.steps * floats_a_step(config.model);
  estimate.activations = estimate.largest_batch_tokens * floats_a_token * kFloatBytes;
  return estimate;
}

std::string describe(const MemoryEstimate& estimate) {
  const auto bytes = [](std::int64_t n) { return format_bytes(static_cast<double>(n)); };
  return fmt::format(
      "{}: weights {}, gradients {}, optimizer {}, average {}, activations {} "
      "(largest batch: {} tokens)",
      bytes(estimate.total()), bytes(estimate.weights), bytes(estimate.gradients),
      bytes(estimate.optimizer), bytes(estimate.average), bytes(estimate.activations),
      format_count(estimate.largest_batch_tokens));
}

namespace {

[[noreturn]] void out_of_memory(const Config& config, const MemoryEstimate& estimate,
                                const std::string& what) {
  throw TrainingError(fmt::format(
      "Out of memory. {}\nThe estimate was {}.\nLower train.batch_size ({}), tokenizer.max_tokens "
      "({}) or model.dim ({}); train.accumulate makes up for a smaller batch, train.batch_tokens "
      "bounds the largest one.",
      what, describe(estimate), config.train.batch_size, config.tokenizer.max_tokens,
      config.model.dim));
}

}  // namespace

void with_memory_advice(const Config& config, const MemoryEstimate& estimate,
                        const std::function<void()>& work) {
  try {
    work();
  } catch (const c10::Error& error) {
    if (!is_out_of_memory(error)) throw;
    out_of_memory(config, estimate, memory_request(error));
  } catch (const std::bad_alloc&) {
    out_of_memory(config, estimate, "The system gave no more.");
  }
}

void warn_of_memory(const MemoryEstimate& estimate, at::Device device) {
  if (device.is_cpu() && estimate.total() > available_memory_bytes())
    log::warning(
        "The machine has less memory free than the estimate. Lower train.batch_size, "
        "tokenizer.max_tokens or model.dim if training fails.");
}

}  // namespace diffuse
