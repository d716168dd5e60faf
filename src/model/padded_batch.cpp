#include "padded_batch.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/lt.h>
#include <ATen/ops/ones.h>

#include <algorithm>

namespace diffuse {

std::int64_t longest_text(const Batch& batch) {
  std::int32_t longest = 0;
  for (std::size_t b = 0; b + 1 < batch.host_offsets.size(); ++b) {
    longest = std::max(longest, batch.host_offsets[b + 1] - batch.host_offsets[b]);
  }
  return longest;
}

PaddedBatch pad_batch(const Batch& batch, std::int64_t pad_id) {
  const std::int64_t rows = batch.size();
  const std::int64_t length = longest_text(batch);
  const at::TensorOptions options = at::TensorOptions(batch.tokens.device()).dtype(at::kLong);
  const at::Tensor tokens = batch.tokens.to(at::kLong);
  if (rows * length == batch.token_count()) {
    return {tokens.view({rows, length}), at::ones({rows, length}, options), false};
  }
  const at::Tensor offsets = batch.offsets.to(at::kLong);
  const at::Tensor lengths = offsets.slice(0, 1).sub(offsets.slice(0, 0, -1)).unsqueeze(1);
  const at::Tensor mask = at::lt(at::arange(length, options).unsqueeze(0), lengths);
  // A packed batch has its tokens in just the order in which the mask's true places are filled.
  at::Tensor ids = at::full({rows, length}, pad_id, options).masked_scatter_(mask, tokens);
  return {std::move(ids), mask.to(at::kLong), true};
}

}  // namespace diffuse
