#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

#include "diffuse/config/config.hpp"
#include "diffuse/model/classifier.hpp"
#include "diffuse/model/recorded_batches.hpp"

namespace diffuse {

/// Answers for a few texts at a time in one copy and one launch (RecordedBatches): kernel by kernel
/// the host takes longer than a GPU. The first answer of each recording is compared with that of
/// the kernels one by one; where it is another, a warning says so and nothing is recorded any more.
class RecordedForward {
 public:
  using Forward = std::function<at::Tensor(const Batch& batch)>;

  /// `forward`: logits [B, C] of a batch on `device`, without random numbers, whose products are in
  /// `precision`.
  RecordedForward(at::Device device, Precision precision, Forward forward,
                  Record record = diffuse::record);

  /// Whether `batch` is one of those: of few texts, and as it was packed. More texts, seldom of one
  /// shape, are worth no recording.
  static bool takes(const Batch& batch);

  /// Logits [B, C] of a batch that it takes, in a tensor of their own; under autocast as the first
  /// ones were.
  at::Tensor logits(const Batch& batch);

 private:
  struct Results {
    at::Tensor logits;
  };

  at::Device device_;
  Precision precision_;
  Forward forward_;
  RecordedBatches<Results> recorded_;
};

}  // namespace diffuse
