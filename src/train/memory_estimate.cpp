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
#include "diffuse/device/failure.hpp"
#include "diffuse/model/diffusion_stack.hpp"
#include "diffuse/model/model_description.hpp"
#include "diffuse/ops/fused_diffusion.hpp"
#include "diffuse/train/row_adamw.hpp"

namespace diffuse {
namespace {

constexpr std::int64_t kFloatBytes = 4;
constexpr std::int64_t kCellBytes = 16;  // of the confusion matrix, which holds non-zero ones alone
// Of a batch's logits: they, their log-softmax and the gradients of both.
constexpr std::int64_t kOutputCopies = 4;

/// Tokens of the `batch_size` longest rows: no batch holds more. With a limit in tokens none holds
/// more than that, either, but for one row that alone is longer.
std::int64_t largest_batch_tokens(const DatasetView& view, std::int64_t batch_size,
                                  std::int64_t batch_tokens) {
  std::vector<std::int32_t> lengths;
  lengths.reserve(view.size());
  for (const std::uint32_t row : view.rows) lengths.push_back(view.data->length(row));
  const auto count = std::min(lengths.size(), static_cast<std::size_t>(batch_size));
  const auto end = lengths.begin() + static_cast<std::ptrdiff_t>(count);
  if (end != lengths.end()) std::nth_element(lengths.begin(), end, lengths.end(), std::greater<>());
  const std::int64_t tokens = std::accumulate(lengths.begin(), end, std::int64_t{0});
  if (batch_tokens == 0 || lengths.empty()) return tokens;
  const std::int64_t longest = *std::max_element(lengths.begin(), end);
  return std::min(tokens, std::max(batch_tokens, longest));
}

/// Of a batch of so many tokens whose texts are all as long as the longest.
double most_token_pairs(const DatasetView& view, std::int64_t tokens) {
  std::int64_t longest = 0;
  for (const std::uint32_t row : view.rows)
    longest = std::max<std::int64_t>(longest, view.data->length(row));
  return static_cast<double>(tokens) * static_cast<double>(longest);
}

/// What the fused kernel takes beside parameters and moments.
std::int64_t fused_bytes(const Config& config, std::int64_t dense_parameters,
                         std::int64_t largest_batch_tokens, const MemoryFacts& facts) {
  const DiffusionSpec spec = diffusion_spec(config.model);
  const std::int64_t longest = config.tokenizer.max_tokens > 0
                                   ? std::min(config.tokenizer.max_tokens, largest_batch_tokens)
                                   : largest_batch_tokens;
  std::int64_t rows = 1;                           // the gradient of each token's embedding
  if (config.model.bigram_buckets > 0) rows += 1;  // that of its pair's
  if (config.train.adversarial > 0) rows += 1;     // the step
  return rows * largest_batch_tokens * config.model.dim * kFloatBytes +
         facts.threads * FusedDiffusion::thread_bytes(spec, longest) +
         FusedDiffusion::kMatrixCopies * dense_parameters * kFloatBytes +
         FusedDiffusion::slot_bytes(dense_parameters);
}

}  // namespace

MemoryEstimate estimate_memory(const Config& config, Precision precision,
                               std::int64_t parameter_count, const DatasetView& train,
                               MemoryFacts facts) {
  const std::int64_t tokens =
      largest_batch_tokens(train, config.train.batch_size, config.train.batch_tokens);
  if (facts.on_cpu) facts.token_pairs = most_token_pairs(train, tokens);
  return estimate_memory(config, precision, parameter_count, tokens, facts);
}

MemoryEstimate estimate_memory(const Config& config, Precision precision,
                               std::int64_t parameter_count, std::int64_t largest_batch_tokens,
                               const MemoryFacts& facts) {
  const bool half = precision == Precision::bf16 || precision == Precision::fp16;
  // N-grams alone have no such kernel.
  const bool fused = facts.kernel == Kernel::fused && config.model.dim > 0;
  MemoryEstimate estimate;
  const std::int64_t parameters = parameter_count * kFloatBytes;
  estimate.weights = parameters + count_constants(config) * kFloatBytes;
  estimate.gradients = parameters;
  estimate.optimizer = 2 * parameters;
  estimate.average = config.train.ema_decay > 0 ? parameters : 0;
  estimate.largest_batch_tokens = largest_batch_tokens;
  const KeptBytes kept =
      description_of(config).kept_bytes(config, half, facts.kernel == Kernel::operations);
  estimate.activations = largest_batch_tokens * kept.a_token +
                         static_cast<std::int64_t>(facts.token_pairs * kept.a_pair) +
                         config.train.batch_size * facts.classes * kOutputCopies * kFloatBytes;
  // Of numbers the embedding is three rows among the other weights.
  const bool numbers = config.tokenizer.type == TokenizerType::values;
  const std::int64_t embedding =
      numbers ? 0 : (facts.vocab_size + config.model.bigram_buckets) * config.model.dim;
  const bool touched =
      config.model.dim > 0 && updates_touched_rows(config.train, facts.kernel, precision);
  if (touched) estimate.gradients -= embedding * kFloatBytes;
  if (fused) {
    estimate.activations =
        fused_bytes(config, parameter_count - embedding, largest_batch_tokens, facts);
  }
  // Logits and probabilities of every row, and at most a cell of the confusion matrix for each.
  estimate.evaluation =
      2 * facts.evaluated_rows * facts.classes * kFloatBytes + facts.evaluated_rows * kCellBytes;
  if (fused) estimate.evaluation += estimate.activations;  // which stay
  return estimate;
}

std::string describe(const MemoryEstimate& estimate) {
  const auto bytes = [](std::int64_t n) { return format_bytes(static_cast<double>(n)); };
  return fmt::format(
      "{}: weights {}, gradients {}, optimizer {}, average {}, activations {}{} "
      "(largest batch: {} tokens)",
      bytes(estimate.total()), bytes(estimate.weights), bytes(estimate.gradients),
      bytes(estimate.optimizer), bytes(estimate.average), bytes(estimate.activations),
      estimate.evaluation > estimate.activations
          ? fmt::format(" or evaluation {}", bytes(estimate.evaluation))
          : "",
      format_count(estimate.largest_batch_tokens));
}

namespace {

[[noreturn]] void out_of_memory(const Config& config, const MemoryEstimate& estimate,
                                const std::string& what, bool gpu) {
  throw OutOfMemory(fmt::format(
      "Out of memory. {}\nThe estimate was {}.\nLower train.batch_size ({}), tokenizer.max_tokens "
      "({}) or model.dim ({}); train.accumulate makes up for a smaller batch, train.batch_tokens "
      "bounds the largest one{}.",
      what, describe(estimate), config.train.batch_size, config.tokenizer.max_tokens,
      config.model.dim, gpu ? ", train.precision = bf16 halves what products take" : ""));
}

}  // namespace

void with_memory_advice(const Config& config, const MemoryEstimate& estimate,
                        const std::function<void()>& work) {
  try {
    work();
  } catch (const c10::Error& error) {
    if (!is_out_of_memory(error)) throw;
    out_of_memory(config, estimate, memory_request(error),
                  gpu_failure(error.what_without_backtrace()) == GpuFailure::out_of_memory);
  } catch (const std::bad_alloc&) {
    out_of_memory(config, estimate, "The system gave no more.", false);
  }
}

std::string memory_warning(const MemoryEstimate& estimate, const FreeMemory& left) {
  if (estimate.total() <= left.free_bytes) return "";
  const auto bytes = [](std::int64_t n) { return format_bytes(static_cast<double>(n)); };
  if (left.total_bytes == 0)
    return fmt::format(
        "The machine has {} of memory free, less than the estimate of {}. Lower train.batch_size, "
        "tokenizer.max_tokens or model.dim if training fails.",
        bytes(left.free_bytes), bytes(estimate.total()));
  return fmt::format(
      "The GPU has {} of its {} free, less than the estimate of {}. {}lower train.batch_size, "
      "tokenizer.max_tokens or model.dim if training fails.",
      bytes(left.free_bytes), bytes(left.total_bytes), bytes(estimate.total()),
      estimate.total() <= left.total_bytes
          ? "End the other processes on it, which nvidia-smi lists, or "
          : "That is more than it has at all: take another GPU (train.device = cuda:1), or ");
}

void warn_of_memory(const MemoryEstimate& estimate, at::Device device) {
  if (const std::string text = memory_warning(estimate, free_memory(device)); !text.empty())
    log::warning("{}", text);
}

}  // namespace diffuse
