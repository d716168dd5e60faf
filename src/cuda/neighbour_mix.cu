#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include "add_chunks.cuh"
#include "grid.hpp"
#include "kernels.hpp"

namespace diffuse::cuda {
namespace {

__global__ void find_texts(const std::int32_t* offsets, std::int32_t texts, std::int64_t rows,
                           std::int32_t* of_row) {
  const std::int64_t row = thread_row();
  if (row < rows) of_row[row] = rows::find_text(offsets, texts, row);
}

template <class T, class A>
__global__ void mix_rows(const __grid_constant__ rows::Mix<T, A> mix, A* result) {
  const auto [row, channel] = element();
  if (row >= mix.rows || channel >= mix.dim) return;
  result[row * mix.dim + channel] = rows::mixed(mix, row, channel);
}

template <class T>
__global__ void shift_rows(const T* values, rows::Texts texts, std::int64_t rows, std::int64_t dim,
                           std::int64_t shift, T* result) {
  const auto [row, channel] = element();
  if (row >= rows || channel >= dim) return;
  result[row * dim + channel] = rows::neighbour_element(values, dim, texts, row, shift, channel);
}

template <class T, class A>
__global__ void row_gradients(const __grid_constant__ rows::Mix<T, A> mix, const A* gradient,
                              T* values, A* base) {
  const auto [row, channel] = element();
  if (row >= mix.rows || channel >= mix.dim) return;
  const std::int64_t at = row * mix.dim + channel;
  values[at] = static_cast<T>(rows::value_gradient(mix, gradient, row, channel));
  base[at] = mix.kept(channel) * gradient[at];
}

/// The sums of a chunk of rows; the third dimension is a slice of rows::kWeightsAtOnce weights.
template <class T, class A>
__global__ void chunk_sums(const __grid_constant__ rows::Mix<T, A> mix, const A* gradient,
                           std::int64_t chunk_rows, A* partial) {
  const std::int64_t channel = std::int64_t{blockIdx.y} * blockDim.x + threadIdx.x;
  if (channel >= mix.dim) return;
  const std::int64_t begin = std::int64_t{blockIdx.x} * chunk_rows;
  const std::int64_t end = begin + chunk_rows < mix.rows ? begin + chunk_rows : mix.rows;
  const int first = static_cast<int>(blockIdx.z) * rows::kWeightsAtOnce;
  A weights[rows::kWeightsAtOnce] = {};
  A keep = 0;
  rows::add_weight_gradients(mix, gradient, begin, end, channel, first, weights, keep);
  A* const own = partial + std::int64_t{blockIdx.x} * (mix.shifts.count + 1) * mix.dim;
#pragma unroll
  for (int k = 0; k < rows::kWeightsAtOnce; ++k)
    if (first + k < mix.shifts.count) own[(first + k) * mix.dim + channel] = weights[k];
  if (first == 0) own[mix.shifts.count * mix.dim + channel] = keep;
}

}  // namespace

void text_of_rows(const std::int32_t* offsets, std::int32_t texts, std::int64_t rows,
                  std::int32_t* of_row, cudaStream_t stream) {
  find_texts<<<blocks_for(rows, kThreads), kThreads, 0, stream>>>(offsets, texts, rows, of_row);
}

template <class T, class A>
void mix(const rows::Mix<T, A>& mix, A* result, cudaStream_t stream) {
  mix_rows<<<element_blocks(mix.rows, mix.dim), element_threads(), 0, stream>>>(mix, result);
}

template <class T>
void neighbour_rows(const T* values, const rows::Texts& texts, std::int64_t rows, std::int64_t dim,
                    std::int64_t shift, T* result, cudaStream_t stream) {
  shift_rows<<<element_blocks(rows, dim), element_threads(), 0, stream>>>(values, texts, rows, dim,
                                                                          shift, result);
}

template <class T, class A>
void mix_row_gradients(const rows::Mix<T, A>& mix, const A* gradient, T* values, A* base,
                       cudaStream_t stream) {
  row_gradients<<<element_blocks(mix.rows, mix.dim), element_threads(), 0, stream>>>(mix, gradient,
                                                                                     values, base);
}

std::int64_t mix_partial_elements(std::int64_t rows, std::int64_t dim, int shifts) {
  return rows::chunk_count(rows) * (shifts + 1) * dim;
}

template <class T, class A>
void mix_weight_gradients(const rows::Mix<T, A>& mix, const A* gradient, A* partial, A* weight,
                          A* keep, cudaStream_t stream) {
  const std::int64_t chunks = rows::chunk_count(mix.rows);
  const dim3 blocks(static_cast<unsigned>(chunks), blocks_for(mix.dim, kChannels),
                    blocks_for(mix.shifts.count, rows::kWeightsAtOnce));
  if (chunks > 0)  // of no rows there is no sum to write
    chunk_sums<<<blocks, kChannels, 0, stream>>>(mix, gradient, rows::rows_per_chunk(mix.rows),
                                                 partial);
  const std::int64_t weights = mix.shifts.count * mix.dim;
  add_chunks(partial, chunks, weights + mix.dim, weights, mix.share, weight,
             mix.keep == nullptr ? nullptr : keep, stream);
}

#define DIFFUSE_INSTANTIATE(T, A)                                                          \
  template void neighbour_rows(const T*, const rows::Texts&, std::int64_t, std::int64_t,   \
                               std::int64_t, T*, cudaStream_t);                            \
  template void mix(const rows::Mix<T, A>&, A*, cudaStream_t);                             \
  template void mix_row_gradients(const rows::Mix<T, A>&, const A*, T*, A*, cudaStream_t); \
  template void mix_weight_gradients(const rows::Mix<T, A>&, const A*, A*, A*, A*, cudaStream_t)

DIFFUSE_INSTANTIATE(double, double);
DIFFUSE_INSTANTIATE(float, float);
DIFFUSE_INSTANTIATE(c10::BFloat16, float);
DIFFUSE_INSTANTIATE(c10::Half, float);

}  // namespace diffuse::cuda
