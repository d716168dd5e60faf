#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "diffuse/model/classifier.hpp"

namespace diffuse {

/// A batch with a row for each text, all as long as the longest, L.
struct PaddedBatch {
  at::Tensor input_ids;       ///< int64 [B, L]
  at::Tensor attention_mask;  ///< int64 [B, L], 1 at tokens, 0 at padding
  bool padded = false;        ///< whether there is any padding
};

/// Tokens of the longest text of a good batch.
std::int64_t longest_text(const Batch& batch);

/// The packed batch with `pad_id` after the shorter texts, on the batch's device.
PaddedBatch pad_batch(const Batch& batch, std::int64_t pad_id);

}  // namespace diffuse
