#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include "add_chunks.cuh"
#include "function_kernels.hpp"
#include "grid.hpp"

namespace diffuse::cuda {
namespace {

/// Rows that a block has in hand, each with a warp of rows::kNormLanes threads.
constexpr unsigned kWarps = 8;

/// What all lanes found, to each of them: the sums of rows::joined_lanes.
template <class A>
__device__ inline rows::TwoSums<A> over_lanes(rows::TwoSums<A> sums) {
  constexpr unsigned kAll = 0xffffffffU;
#pragma unroll
  for (int half = rows::kNormLanes / 2; half > 0; half /= 2)
    sums = rows::joined_two(sums, rows::TwoSums<A>{__shfl_xor_sync(kAll, sums.first, half),
                                                   __shfl_xor_sync(kAll, sums.second, half)});
  return sums;
}

/// Reads a row from memory once: the second time it stands in the first-level cache.
template <class T, class A>
__global__ void norm_rows(const __grid_constant__ rows::RowNorm<T, A> norm, T* result, A* means,
                          A* scales) {
  const std::int64_t row = std::int64_t{blockIdx.x} * kWarps + threadIdx.y;
  if (row >= norm.rows) return;  // the whole warp
  const int lane = static_cast<int>(threadIdx.x);
  const rows::Moments<A> of =
      rows::moments(norm, row, over_lanes(rows::lane_moments(norm, row, lane)));
  for (std::int64_t c = lane; c < norm.dim; c += rows::kNormLanes)
    result[row * norm.dim + c] = rows::normalised_element(norm, row, c, of);
  if (lane != 0) return;
  means[row] = of.mean;
  scales[row] = of.scale;
}

/// The gradients of a chunk of rows, a block's: its warps add up what each row needs, then each
/// thread goes through the rows of its channels, as it adds up the parameters' gradients.
template <class T, class A>
__global__ void norm_gradients(const __grid_constant__ rows::RowNorm<T, A> norm, const T* gradient,
                               const A* means, const A* scales, std::int64_t chunk_rows, A* partial,
                               A* x) {
  __shared__ rows::TwoSums<A> sums[rows::kMostChunkRows];
  const std::int64_t begin = std::int64_t{blockIdx.x} * chunk_rows;
  const std::int64_t end = begin + chunk_rows < norm.rows ? begin + chunk_rows : norm.rows;
  const int lane = static_cast<int>(threadIdx.x);
  for (std::int64_t row = begin + threadIdx.y; row < end; row += kWarps) {
    const rows::Moments<A> of{means[row], scales[row]};
    const rows::TwoSums<A> own =
        over_lanes(rows::lane_gradient_sums(norm, gradient, row, of, lane));
    if (lane == 0) sums[row - begin] = own;
  }
  __syncthreads();
  A* const to = partial + std::int64_t{blockIdx.x} * 2 * norm.dim;
  for (std::int64_t channel = threadIdx.y * rows::kNormLanes + threadIdx.x; channel < norm.dim;
       channel += kWarps * rows::kNormLanes) {
    A weight = 0;
    A bias = 0;
    for (std::int64_t row = begin; row < end; ++row)
      x[row * norm.dim + channel] = rows::norm_gradient(norm, gradient, row, channel,
                                                        rows::Moments<A>{means[row], scales[row]},
                                                        sums[row - begin], weight, bias);
    to[channel] = weight;
    to[norm.dim + channel] = bias;
  }
}

}  // namespace

template <class T, class A>
void row_norm(const rows::RowNorm<T, A>& norm, T* result, A* means, A* scales,
              cudaStream_t stream) {
  norm_rows<<<blocks_for(norm.rows, kWarps), dim3(rows::kNormLanes, kWarps), 0, stream>>>(
      norm, result, means, scales);
}

std::int64_t norm_partial_elements(std::int64_t rows, std::int64_t dim) {
  return rows::chunk_count(rows) * 2 * dim;
}

template <class T, class A>
void row_norm_gradients(const rows::RowNorm<T, A>& norm, const T* gradient, const A* means,
                        const A* scales, A* partial, A* x, A* weight, A* bias,
                        cudaStream_t stream) {
  const std::int64_t chunks = rows::chunk_count(norm.rows);
  if (chunks > 0)  // of no rows there is no sum to write
    norm_gradients<<<blocks_for(chunks, 1), dim3(rows::kNormLanes, kWarps), 0, stream>>>(
        norm, gradient, means, scales, rows::rows_per_chunk(norm.rows), partial, x);
  add_chunks(partial, chunks, 2 * norm.dim, norm.dim, A{1}, weight, bias, stream);
}

#define DIFFUSE_INSTANTIATE_NORM(T, A)                                                           \
  template void row_norm(const rows::RowNorm<T, A>&, T*, A*, A*, cudaStream_t);                  \
  template void row_norm_gradients(const rows::RowNorm<T, A>&, const T*, const A*, const A*, A*, \
                                   A*, A*, A*, cudaStream_t)

DIFFUSE_INSTANTIATE_NORM(double, double);
DIFFUSE_INSTANTIATE_NORM(float, float);
DIFFUSE_INSTANTIATE_NORM(c10::BFloat16, float);
DIFFUSE_INSTANTIATE_NORM(c10::Half, float);

}  // namespace diffuse::cuda
