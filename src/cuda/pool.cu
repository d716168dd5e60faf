#include "grid.hpp"
#include "kernels.hpp"
#include "ops/rows/pool.hpp"

namespace diffuse::cuda {
namespace {

/// Channels of a block; with rows::kParts threads for each.
constexpr unsigned kPoolChannels = 32;

template <class A>
__global__ void pool_parts(const __grid_constant__ Pool<A> pool, A* mean, A* most,
                           std::int32_t* ties) {
  __shared__ A sums[rows::kParts][kPoolChannels];
  __shared__ A mosts[rows::kParts][kPoolChannels];
  __shared__ std::int32_t counts[rows::kParts][kPoolChannels];
  const std::int64_t text = blockIdx.x;
  if (text >= pool.texts) return;  // the whole block
  const std::int64_t channel = std::int64_t{blockIdx.y} * kPoolChannels + threadIdx.x;
  const std::int64_t begin = pool.offsets[text];
  const std::int64_t end = pool.offsets[text + 1];
  const int part = static_cast<int>(threadIdx.y);
  if (channel < pool.dim) {
    const rows::Pooled<A> own = rows::pooled_part(pool.values, pool.dim, begin, end, part, channel);
    sums[part][threadIdx.x] = own.sum;
    mosts[part][threadIdx.x] = own.most;
    counts[part][threadIdx.x] = own.ties;
  }
  __syncthreads();
  if (part != 0 || channel >= pool.dim) return;
  rows::Pooled<A> all;
#pragma unroll
  for (int p = 0; p < rows::kParts; ++p)
    all = rows::joined(
        all, rows::Pooled<A>{sums[p][threadIdx.x], mosts[p][threadIdx.x], counts[p][threadIdx.x]});
  if (mean != nullptr) mean[text * pool.width + channel] = all.sum / static_cast<A>(end - begin);
  if (most == nullptr) return;
  most[text * pool.width + channel] = all.most;
  ties[text * pool.dim + channel] = all.ties;
}

template <class A>
__global__ void share_gradient(const __grid_constant__ Pool<A> pool, const std::int32_t* of_row,
                               const A* mean_gradient, const A* most_gradient, const A* most,
                               const std::int32_t* ties, A* result) {
  const auto [row, channel] = element();
  if (row >= pool.rows || channel >= pool.dim) return;
  const std::int64_t text = of_row[row];
  const std::int64_t at = text * pool.width + channel;
  const bool has_most = most != nullptr;
  result[row * pool.dim + channel] = rows::row_gradient<A>(
      mean_gradient != nullptr ? mean_gradient[at] : A{0},
      pool.offsets[text + 1] - pool.offsets[text], pool.values[row * pool.dim + channel],
      has_most ? most[at] : A{0}, has_most ? most_gradient[at] : A{0},
      has_most ? ties[text * pool.dim + channel] : 0);
}

}  // namespace

template <class A>
void pool(const Pool<A>& pool, A* mean, A* most, std::int32_t* ties, cudaStream_t stream) {
  const dim3 blocks(blocks_for(pool.texts, 1), blocks_for(pool.dim, kPoolChannels));
  pool_parts<<<blocks, dim3(kPoolChannels, rows::kParts), 0, stream>>>(pool, mean, most, ties);
}

template <class A>
void pool_gradient(const Pool<A>& pool, const std::int32_t* of_row, const A* mean_gradient,
                   const A* most_gradient, const A* most, const std::int32_t* ties, A* result,
                   cudaStream_t stream) {
  share_gradient<<<element_blocks(pool.rows, pool.dim), element_threads(), 0, stream>>>(
      pool, of_row, mean_gradient, most_gradient, most, ties, result);
}

#define DIFFUSE_INSTANTIATE(A)                                                                   \
  template void pool(const Pool<A>&, A*, A*, std::int32_t*, cudaStream_t);                       \
  template void pool_gradient(const Pool<A>&, const std::int32_t*, const A*, const A*, const A*, \
                              const std::int32_t*, A*, cudaStream_t)

DIFFUSE_INSTANTIATE(double);
DIFFUSE_INSTANTIATE(float);

}  // namespace diffuse::cuda
