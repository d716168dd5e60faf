#include "grid.hpp"
#include "kernels.hpp"

namespace diffuse::cuda {
namespace {

/// A row has kChannels threads of one block, so that its last update is written when all of them
/// have read it.
__device__ inline std::int64_t place_of_thread() {
  return std::int64_t{blockIdx.x} * blockDim.y + threadIdx.y;
}

__global__ void follow(const __grid_constant__ rows::AdamWTable table, const std::int32_t* ids,
                       std::int64_t count, bool present) {
  const std::int64_t place = place_of_thread();
  const std::int64_t id = place < count ? rows::row_at(ids, place) : -1;
  const std::int32_t through = table.clock->update - (present ? 0 : 1);
  const std::int32_t last = id >= 0 ? table.last[id] : through;
  for (std::int64_t channel = threadIdx.x; last < through && channel < table.dim;
       channel += blockDim.x)
    rows::follow_element(table, id, channel, last, through);
  __syncthreads();
  if (last < through && threadIdx.x == 0) table.last[id] = through;
}

__global__ void update(const __grid_constant__ rows::AdamWTable table, const std::int32_t* ids,
                       std::int64_t count, const float* gradient, const float* divisor) {
  const std::int64_t place = place_of_thread();
  const std::int64_t id = place < count ? rows::row_at(ids, place) : -1;
  if (id < 0) return;
  const float by = divisor == nullptr ? 1.0F : *divisor;
  for (std::int64_t channel = threadIdx.x; channel < table.dim; channel += blockDim.x)
    rows::update_element(table, id, channel, gradient[place * table.dim + channel] / by);
  if (threadIdx.x == 0) table.last[id] = table.clock->update;
}

}  // namespace

void follow_rows(const rows::AdamWTable& table, const std::int32_t* ids, std::int64_t count,
                 bool present, cudaStream_t stream) {
  follow<<<blocks_for(count, kRows), element_threads(), 0, stream>>>(table, ids, count, present);
}

void update_rows(const rows::AdamWTable& table, const std::int32_t* ids, std::int64_t count,
                 const float* gradient, const float* divisor, cudaStream_t stream) {
  update<<<blocks_for(count, kRows), element_threads(), 0, stream>>>(table, ids, count, gradient,
                                                                     divisor);
}

}  // namespace diffuse::cuda
