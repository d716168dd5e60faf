#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace diffuse::cuda {

/// Threads along the channels, and rows, of a block: what all kernels on [rows, channels] share.
inline constexpr unsigned kChannels = 64;
inline constexpr unsigned kRows = 4;
/// Threads of a block of kernels on [rows].
inline constexpr unsigned kThreads = 256;

/// One at least: CUDA launches no empty grid.
inline unsigned blocks_for(std::int64_t count, unsigned a_block) {
  return count == 0 ? 1 : static_cast<unsigned>((count + a_block - 1) / a_block);
}

inline dim3 element_threads() { return dim3(kChannels, kRows); }
inline dim3 element_blocks(std::int64_t rows, std::int64_t dim) {
  return dim3(blocks_for(rows, kRows), blocks_for(dim, kChannels));
}

#ifdef __CUDACC__
struct Element {
  std::int64_t row;
  std::int64_t channel;
};

/// The element of a thread, which may be beyond the last.
__device__ inline Element element() {
  return {std::int64_t{blockIdx.x} * blockDim.y + threadIdx.y,
          std::int64_t{blockIdx.y} * blockDim.x + threadIdx.x};
}

/// The row of a thread, which may be beyond the last.
__device__ inline std::int64_t thread_row() {
  return std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
}
#endif

}  // namespace diffuse::cuda
