#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace diffuse {

/// bigram_rows of ops/bigrams.hpp in tensor operations: `tokens` int32 `[N]` and `offsets` int32
/// `[B + 1]` on one device; int64 `[N]`.
at::Tensor reference_bigram_rows(const at::Tensor& tokens, const at::Tensor& offsets,
                                 std::int64_t buckets);

}  // namespace diffuse
