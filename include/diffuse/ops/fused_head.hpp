#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "diffuse/ops/counter_random.hpp"

namespace diffuse {

/// The classification head: Linear, gelu, Linear with dropout before each, or one Linear (with
/// dropout before it).
struct HeadSpec {
  std::int64_t in_dim = 0;      ///< P
  std::int64_t hidden_dim = 0;  ///< 0: one Linear
  std::int64_t classes = 0;     ///< C
  double dropout = 0;
};

/// The head's parameters, or their gradients, in the reference's layout.
template <class Float>
struct HeadPointers {
  Float* in_weight = nullptr;   ///< [hidden, P]; null without a hidden layer
  Float* in_bias = nullptr;     ///< [hidden]
  Float* out_weight = nullptr;  ///< [C, hidden or P]
  Float* out_bias = nullptr;    ///< [C]
};

/// Sums over texts.
struct HeadFigures {
  double loss = 0;
  std::int64_t correct = 0;
};

/// The head and its loss, cross-entropy with smoothed labels or with distributions, or of several
/// labels the sum of each one's, on the CPU, for the few texts that a thread has in its cache.
/// float32.
class FusedHead {
 public:
  /// `workers`: threads that call at the same time, each with a number below; `instructions` as for
  /// FusedDiffusion.
  FusedHead(const HeadSpec& spec, std::int64_t workers, std::string_view instructions = {});
  ~FusedHead();
  FusedHead(const FusedHead&) = delete;
  FusedHead& operator=(const FusedHead&) = delete;

  /// Another number of classes; the parameters are to be set anew.
  void set_classes(std::int64_t classes);
  /// Takes over the parameters' present values: after each change.
  void set_parameters(const HeadPointers<const float>& values);

  /// `logits` `[n, C]` of `pooled` `[n, P]`, in the calling thread.
  void forward(std::int64_t worker, std::int64_t n, const float* pooled, float* logits);

  /// A batch that is trained on, for all calls of add_gradients on it.
  struct TrainingBatch {
    const std::int64_t* labels = nullptr;  ///< of all texts
    const float* distributions = nullptr;  ///< [B, C], the targets; null: the labels, smoothed
    bool several = false;                  ///< the targets are of each class by itself
    const float* weights = nullptr;        ///< [B] of the texts' losses; null: all 1
    double label_smoothing = 0;
    float weight = 1;                     ///< of all losses in the gradients, not in the figures
    const RandomPlace* random = nullptr;  ///< of dropout; null: none
  };
  /// Prepares `slots` sums of gradients and figures.
  void begin(const TrainingBatch& batch, std::int64_t slots);
  /// Forward, loss and backward of `texts` (numbers in the batch), whose pooled rows are `pooled`
  /// `[n, P]`; their gradient goes to `gradient`, the parameters' into the slot's sum. Several
  /// threads may call it, each for another slot.
  void add_gradients(std::int64_t worker, std::int64_t slot, std::span<const std::int64_t> texts,
                     const float* pooled, float* gradient);
  /// Adds the slots' sums, in their order, to the parameters' gradients; returns the figures.
  HeadFigures end(const HeadPointers<float>& gradients);

  /// Floats of a slot.
  std::int64_t slot_size() const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> self_;
};

}  // namespace diffuse
