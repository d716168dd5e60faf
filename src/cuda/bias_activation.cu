#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include "add_chunks.cuh"
#include "function_kernels.hpp"
#include "grid.hpp"

namespace diffuse::cuda {
namespace {

template <class T, class A>
__global__ void activate_rows(const __grid_constant__ rows::BiasActivation<T, A> of, T* result) {
  const auto [row, channel] = element();
  if (row >= of.rows || channel >= of.dim) return;
  result[row * of.dim + channel] = rows::activated(of, row, channel);
}

/// The gradients of a chunk of rows; each thread goes through those of a channel.
template <class T, class A>
__global__ void activation_gradients(const __grid_constant__ rows::BiasActivation<T, A> of,
                                     const T* gradient, std::int64_t chunk_rows, A* partial,
                                     T* product) {
  const std::int64_t channel = std::int64_t{blockIdx.y} * blockDim.x + threadIdx.x;
  if (channel >= of.dim) return;
  const std::int64_t begin = std::int64_t{blockIdx.x} * chunk_rows;
  const std::int64_t end = begin + chunk_rows < of.rows ? begin + chunk_rows : of.rows;
  A active = 0;
  A factor = 0;
  rows::add_product_gradients(of, gradient, begin, end, channel, product, active, factor);
  A* const to = partial + std::int64_t{blockIdx.x} * of.width();
  to[of.active(channel)] = active;
  if (of.gated) to[channel] = factor;
}

}  // namespace

template <class T, class A>
void bias_activation(const rows::BiasActivation<T, A>& of, T* result, cudaStream_t stream) {
  activate_rows<<<element_blocks(of.rows, of.dim), element_threads(), 0, stream>>>(of, result);
}

std::int64_t activation_partial_elements(std::int64_t rows, std::int64_t width) {
  return rows::chunk_count(rows) * width;
}

template <class T, class A>
void bias_activation_gradients(const rows::BiasActivation<T, A>& of, const T* gradient, A* partial,
                               T* product, A* bias, cudaStream_t stream) {
  const std::int64_t chunks = rows::chunk_count(of.rows);
  const dim3 blocks(blocks_for(chunks, 1), blocks_for(of.dim, kChannels));
  if (chunks > 0)  // of no rows there is no sum to write
    activation_gradients<<<blocks, kChannels, 0, stream>>>(
        of, gradient, rows::rows_per_chunk(of.rows), partial, product);
  add_chunks(partial, chunks, of.width(), of.width(), A{1}, bias, static_cast<A*>(nullptr), stream);
}

#define DIFFUSE_INSTANTIATE_ACTIVATION(T, A)                                                       \
  template void bias_activation(const rows::BiasActivation<T, A>&, T*, cudaStream_t);              \
  template void bias_activation_gradients(const rows::BiasActivation<T, A>&, const T*, A*, T*, A*, \
                                          cudaStream_t)

DIFFUSE_INSTANTIATE_ACTIVATION(double, double);
DIFFUSE_INSTANTIATE_ACTIVATION(float, float);
DIFFUSE_INSTANTIATE_ACTIVATION(c10::BFloat16, float);
DIFFUSE_INSTANTIATE_ACTIVATION(c10::Half, float);

}  // namespace diffuse::cuda
