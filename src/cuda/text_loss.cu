#include "grid.hpp"
#include "kernels.hpp"

namespace diffuse::cuda {
namespace {

/// Texts of a block, each with a warp of rows::kLanes threads.
constexpr unsigned kTexts = 4;

template <class A>
__global__ void text_loss(const __grid_constant__ rows::TextLosses<A> losses, A* loss, A* gradient,
                          std::int64_t* correct) {
  __shared__ rows::Top<A> tops[kTexts][rows::kLanes];
  __shared__ rows::LaneSums<A> lanes[kTexts][rows::kLanes];
  const std::int64_t text = std::int64_t{blockIdx.x} * kTexts + threadIdx.y;
  const bool is_text = text < losses.texts;
  const int lane = static_cast<int>(threadIdx.x);
  if (is_text) tops[threadIdx.y][lane] = rows::lane_top(losses, text, lane);
  __syncthreads();
  // Each lane puts all together: reading one number is as fast for all as for one.
  rows::Top<A> top = rows::no_top<A>();
  for (int l = 0; is_text && l < rows::kLanes; ++l) top = rows::larger(top, tops[threadIdx.y][l]);
  if (is_text) lanes[threadIdx.y][lane] = rows::lane_sums(losses, text, top.value, lane);
  __syncthreads();
  if (!is_text) return;
  rows::LaneSums<A> sums{};
  for (int l = 0; l < rows::kLanes; ++l) sums = rows::joined_sums(sums, lanes[threadIdx.y][l]);
  for (std::int64_t c = lane; c < losses.classes; c += rows::kLanes)
    gradient[text * losses.classes + c] = rows::logit_gradient(losses, text, c, top.value, sums);
  if (lane != 0) return;
  loss[text] = rows::text_loss(losses, text, sums);
  correct[text] = rows::is_correct(losses, text, top, sums) ? 1 : 0;
}

}  // namespace

template <class A>
void text_losses(const rows::TextLosses<A>& losses, A* loss, A* gradient, std::int64_t* correct,
                 cudaStream_t stream) {
  text_loss<<<blocks_for(losses.texts, kTexts), dim3(rows::kLanes, kTexts), 0, stream>>>(
      losses, loss, gradient, correct);
}

#define DIFFUSE_INSTANTIATE_LOSSES(A) \
  template void text_losses(const rows::TextLosses<A>&, A*, A*, std::int64_t*, cudaStream_t)

DIFFUSE_INSTANTIATE_LOSSES(double);
DIFFUSE_INSTANTIATE_LOSSES(float);

}  // namespace diffuse::cuda
