#pragma once

#include <cstdint>

#include "grid.hpp"
#include "ops/rows/chunks_of_rows.hpp"

namespace diffuse::cuda {

/// Sums of a block of add_chunk_sums, with rows::kParts threads for each.
inline constexpr unsigned kChunkSums = 32;

/// Adds the chunks' sums [chunks, width]: a thread for each part of the chunks, then the parts in
/// their order. The first `split` go to `first`, times `share`; the others to `second`, or, where
/// that is null, nowhere.
template <class A>
__global__ void add_chunk_sums(const A* partial, std::int64_t chunks, std::int64_t width,
                               std::int64_t split, A share, A* first, A* second) {
  __shared__ A parts[rows::kParts][kChunkSums];
  const std::int64_t at = std::int64_t{blockIdx.x} * kChunkSums + threadIdx.x;
  const int part = static_cast<int>(threadIdx.y);
  A own = 0;
  if (at < width) {
    const std::int64_t end = rows::part_begin(chunks, part + 1);
    for (std::int64_t chunk = rows::part_begin(chunks, part); chunk < end; ++chunk)
      own += partial[chunk * width + at];
  }
  parts[part][threadIdx.x] = own;
  __syncthreads();
  if (part != 0 || at >= width) return;
  A all = 0;
#pragma unroll
  for (int p = 0; p < rows::kParts; ++p) all += parts[p][threadIdx.x];
  if (at < split)
    first[at] = share * all;
  else if (second != nullptr)
    second[at - split] = all;
}

template <class A>
void add_chunks(const A* partial, std::int64_t chunks, std::int64_t width, std::int64_t split,
                A share, A* first, A* second, cudaStream_t stream) {
  add_chunk_sums<<<blocks_for(width, kChunkSums), dim3(kChunkSums, rows::kParts), 0, stream>>>(
      partial, chunks, width, split, share, first, second);
}

}  // namespace diffuse::cuda
