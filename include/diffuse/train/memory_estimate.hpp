#pragma once

#include <c10/core/Device.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>

#include "diffuse/base/error.hpp"
#include "diffuse/config/config.hpp"
#include "diffuse/data/dataset.hpp"
#include "diffuse/device/free_memory.hpp"

namespace diffuse {

/// Memory that training will need, in bytes, besides the data set and the libraries.
struct MemoryEstimate {
  std::int64_t weights = 0;  ///< and the constants beside them
  std::int64_t gradients = 0;
  std::int64_t optimizer = 0;    ///< both moments
  std::int64_t average = 0;      ///< of the weights; 0 without EMA
  std::int64_t activations = 0;  ///< kept for backward, of the largest batch
  std::int64_t evaluation = 0;   ///< its figures, when the activations are gone
  std::int64_t largest_batch_tokens = 0;

  std::int64_t total() const {
    return weights + gradients + optimizer + average + std::max(activations, evaluation);
  }
};

/// What the estimate must know besides configuration and parameters.
struct MemoryFacts {
  std::int64_t classes = 0;
  std::int64_t evaluated_rows = 0;  ///< of the largest evaluation
  std::int64_t vocab_size = 0;
  int threads = 1;
  Kernel kernel = Kernel::reference;  ///< which one runs (chosen_kernel)
  bool on_cpu = true;                 ///< where attention keeps its weights
  double token_pairs = 0;             ///< of the largest batch's padded texts, on a CPU
};

/// Estimates from shapes alone, for a classifier of `parameter_count` parameters that need not be
/// there yet. The weights, gradients, moments and averages are exact; the activations count the
/// rows that the reference operations keep for backward and leave out what the allocator adds. In
/// half `precision` (resolved) the products' rows take two bytes an element, the states' still
/// four. The fused kernel keeps the gradient of each token's embedding, what each thread has of a
/// few texts, its own copy of the matrices and the slots that gradients are gathered in.
MemoryEstimate estimate_memory(const Config& config, Precision precision,
                               std::int64_t parameter_count, const DatasetView& train,
                               MemoryFacts facts = {});

/// The same for batches of at most `largest_batch_tokens` tokens.
MemoryEstimate estimate_memory(const Config& config, Precision precision,
                               std::int64_t parameter_count, std::int64_t largest_batch_tokens,
                               const MemoryFacts& facts = {});

/// One line: "10.0 MB: weights 1.0 MB, …", the total, its parts and the largest batch.
std::string describe(const MemoryEstimate& estimate);

/// Memory ran out in a training.
class OutOfMemory : public TrainingError {
 public:
  using TrainingError::TrainingError;
};

/// Runs `work`. Where it runs out of memory, on the host or a GPU, throws OutOfMemory with what was
/// asked for, what the estimate was and which keys to lower.
void with_memory_advice(const Config& config, const MemoryEstimate& estimate,
                        const std::function<void()>& work);

/// A warning, naming both, where less memory is free than estimated; else empty.
std::string memory_warning(const MemoryEstimate& estimate, const FreeMemory& left);

/// Logs that warning of the memory that `device` has free now.
void warn_of_memory(const MemoryEstimate& estimate, at::Device device);

}  // namespace diffuse
