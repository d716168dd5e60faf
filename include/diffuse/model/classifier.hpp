#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "diffuse/data/dataset.hpp"

namespace diffuse {

/// A packed batch on one device. Sequence b is rows offsets[b] .. offsets[b + 1] - 1.
struct Batch {
  at::Tensor tokens;   ///< int32 [N]
  at::Tensor offsets;  ///< int32 [B + 1], on the host as well as needed: see host_offsets
  at::Tensor labels;   ///< int64 [B]
  std::vector<std::int32_t> host_offsets;  ///< the same offsets on the host

  std::int64_t size() const { return static_cast<std::int64_t>(host_offsets.size()) - 1; }
  std::int64_t token_count() const { return tokens.size(0); }
};

/// Copies packed rows to `device`.
Batch make_batch(const PackedRows& rows, at::Device device);

/// Throws Error where the batch's offsets do not cut its tokens into non-empty sequences.
void check_offsets(const Batch& batch);

/// What a forward pass needs besides its input.
struct ForwardContext {
  bool training = false;
  /// Source of noise and dropout. Must be defined, and on the batch's device, when `training`, or
  /// when the model adds noise at evaluation.
  at::Generator generator;
};

/// What a parameter is for: decides weight decay and clipping.
enum class ParameterRole { embedding, matrix, vector };

struct NamedParameter {
  std::string name;  ///< dotted, as in `model.safetensors`
  at::Tensor tensor;
  ParameterRole role;
};

/// A text classifier as the trainer and the evaluator see it.
class Classifier {
 public:
  virtual ~Classifier() = default;
  /// Logits, float32 [B, C].
  virtual at::Tensor forward(const Batch& batch, const ForwardContext& context) = 0;
  /// The trained tensors, in a fixed order. Copies share storage with the model.
  virtual std::vector<NamedParameter> parameters() const = 0;
  virtual void to(at::Device device) = 0;
  virtual at::Device device() const = 0;
  /// Whether one thread of the CPU computes `batch` sooner than several: so little is to do that
  /// waking the others takes longer.
  virtual bool is_small(const Batch& batch) const {
    (void)batch;
    return false;
  }
  /// Multiplications of a forward pass for each token, roughly; what only moves an element counts
  /// by its time. Here: one for each element of a matrix.
  virtual std::int64_t work_per_token() const;
  /// Whether evaluation draws random numbers (noise at evaluation).
  virtual bool random_at_evaluation() const { return false; }
};

/// Sum of the elements of all parameters.
std::int64_t parameter_count(const Classifier& classifier);

}  // namespace diffuse
