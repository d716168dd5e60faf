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
#include "diffuse/model/model_factory.hpp"
#include "diffuse/ops/fused_diffusion.hpp"
#include "diffuse/train/row_adamw.hpp"

namespace diffuse {
namespace {

constexpr std::int64_t kFloatBytes = 4;
constexpr std::int64_t kHalfBytes = 2;   // of bfloat16 and float16
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

/// Bytes that one step keeps for one token until backward. Operations of ours keep u and the state,
/// LibTorch's each shifted u besides.
std::int64_t bytes_a_step(const ModelConfig& model, bool half, bool own_operations) {
  const std::int64_t hidden = model.hidden_dim > 0 ? model.hidden_dim : 2 * model.dim;
  std::int64_t states = 1;  // rows of model.dim elements that are float32 always: the new state
  // Of ours a norm before f writes what its product takes, below.
  const bool norm_is_cast = own_operations && half && model.norm == NormPosition::pre;
  if (model.norm != NormPosition::none && !norm_is_cast) states += 1;
  if (model.alpha_learned && !own_operations) states += 1;
  std::int64_t products = 1;  // rows of the products' type: u
  // The gradient of W needs the shifted rows; full matrices have them side by side, the own row
  // among them.
  const bool own_row = model.self_neighbour && model.weight == WeightKind::full;
  const bool shifted =
      model.weight == WeightKind::full || (model.weight_learned && !own_operations);
  if (shifted) products += 2 * model.radius + (own_row ? 1 : 0);
  if (half) products += 1;  // the cast state that f takes
  if (model.function == FunctionKind::linear && model.activation != Activation::identity)
    products += 1;
  std::int64_t elements = products * model.dim;
  if (model.function == FunctionKind::mlp) elements += 2 * hidden;
  if (model.function == FunctionKind::glu) elements += (own_operations ? 3 : 4) * hidden;
  return states * model.dim * kFloatBytes + elements * (half ? kHalfBytes : kFloatBytes);
}

/// Bytes that the whole forward pass keeps for one token until backward.
std::int64_t bytes_a_token(const Config& config, bool half, bool own_operations) {
  const std::int64_t product_bytes = half ? kHalfBytes : kFloatBytes;
  if (config.model.type == ModelType::distilbert) {
    // Rows of dim that a layer keeps: the input, q, k, v, the attention's output, and for each of
    // two dropouts, sums and norms a few more; of the hidden layer the product and its GELU.
    const DistilBertConfig& model = config.distilbert;
    return model.layers * (8 * model.dim * kFloatBytes + 8 * model.dim * product_bytes +
                           3 * model.hidden_dim * product_bytes);
  }
  if (config.model.type == ModelType::torchscript) return 0;  // nothing is known of it
  std::int64_t rows = 1;                                      // the initial state
  if (config.train.adversarial > 0) rows += 3;  // the sum's gradient, the step and the moved sum
  if (own_operations) {
    rows += 3;  // on the way back the gradients of a step: its state's, its values', its base's
    if (config.train.adversarial > 0) rows += 1;  // the sum itself
  } else {
    if (config.model.embedding_dropout > 0) rows += 1;  // its mask
    if (config.model.bigram_buckets > 0) rows += 2;     // the pairs' rows, those left by dropout
  }
  return rows * config.model.dim * kFloatBytes +
         config.model.steps * bytes_a_step(config.model, half, own_operations);
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
                               const MemoryFacts& facts) {
  return estimate_memory(
      config, precision, parameter_count,
      largest_batch_tokens(train, config.train.batch_size, config.train.batch_tokens), facts);
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
  estimate.activations =
      largest_batch_tokens * bytes_a_token(config, half, facts.kernel == Kernel::operations) +
      config.train.batch_size * facts.classes * kOutputCopies * kFloatBytes;
  const std::int64_t embedding =
      (facts.vocab_size + config.model.bigram_buckets) * config.model.dim;
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
