// The operation of diffuse/ops/dispatched/text_loss.hpp on CUDA.

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include <optional>
#include <tuple>

#include "kernels.hpp"
#include "ops/dispatched/losses_of_tensors.hpp"
#include "ops/dispatched/types_of_elements.hpp"

namespace diffuse::cuda::losses {
namespace {

std::tuple<at::Tensor, at::Tensor, at::Tensor> text_losses(
    const at::Tensor& logits, const at::Tensor& labels,
    const std::optional<at::Tensor>& distributions, const std::optional<at::Tensor>& weights,
    bool several, double smoothing) {
  const c10::cuda::CUDAGuard guard(logits.device());
  at::Tensor loss = at::empty({logits.size(0)}, logits.options());
  at::Tensor gradient = at::empty_like(logits);
  at::Tensor correct = at::empty({logits.size(0)}, labels.options());
  with_sums(logits, [&](auto sum) {
    using A = decltype(sum);
    cuda::text_losses(losses_of<A>(logits, labels, distributions, weights, several, smoothing),
                      loss.mutable_data_ptr<A>(), gradient.mutable_data_ptr<A>(),
                      correct.mutable_data_ptr<std::int64_t>(), c10::cuda::getCurrentCUDAStream());
  });
  C10_CUDA_KERNEL_LAUNCH_CHECK();
  return {loss, gradient, correct};
}

}  // namespace
}  // namespace diffuse::cuda::losses

TORCH_LIBRARY_IMPL(diffuse, CUDA, library) {
  library.impl("text_losses", &diffuse::cuda::losses::text_losses);
}
