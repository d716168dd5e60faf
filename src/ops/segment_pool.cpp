#include "diffuse/ops/segment_pool.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/index_add.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/segment_reduce.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

namespace diffuse {
namespace {

// For 5,000 rows of 32 channels, forward and backward on 2 cores: index_add 0.2 ms, segment_reduce
// 0.36 ms, embedding_bag 0.58 ms.
at::Tensor pool_mean(const at::Tensor& rows, const Segments& segments) {
  const at::Tensor zeros = at::zeros({segments.count, rows.size(1)}, rows.options());
  return at::mul(at::index_add(zeros, 0, segments.ids, rows), segments.inverse_length);
}

// segment_reduce 0.66 ms, scatter_reduce 4.5 ms.
at::Tensor pool_max(const at::Tensor& rows, const Segments& segments) {
  return at::segment_reduce(rows, "max", /*lengths=*/{}, /*indices=*/{}, segments.offsets,
                            /*axis=*/0, /*unsafe=*/true);
}

}  // namespace

Segments::Segments(std::span<const std::int32_t> row_offsets, const at::TensorOptions& options)
    : count(static_cast<std::int64_t>(row_offsets.size()) - 1),
      ids(at::empty({row_offsets.back()}, at::kLong)),
      offsets(at::empty({count + 1}, at::kLong)),
      inverse_length(at::empty({count, 1}, at::kDouble)) {
  std::copy(row_offsets.begin(), row_offsets.end(), offsets.data_ptr<std::int64_t>());
  for (std::int64_t b = 0; b < count; ++b) {
    const auto begin = row_offsets[static_cast<std::size_t>(b)];
    const auto end = row_offsets[static_cast<std::size_t>(b) + 1];
    std::fill(ids.data_ptr<std::int64_t>() + begin, ids.data_ptr<std::int64_t>() + end, b);
    inverse_length.data_ptr<double>()[b] = 1.0 / (end - begin);
  }
  ids = ids.to(options.device());
  offsets = offsets.to(options.device());
  inverse_length = inverse_length.to(options);
}

at::Tensor segment_pool(const at::Tensor& rows, const Segments& segments, Pooling pooling) {
  switch (pooling) {
    case Pooling::mean:
      return pool_mean(rows, segments);
    case Pooling::max:
      return pool_max(rows, segments);
    case Pooling::mean_max:
      break;
  }
  return at::cat({pool_mean(rows, segments), pool_max(rows, segments)}, 1);
}

}  // namespace diffuse
