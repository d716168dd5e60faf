// The updates of diffuse/ops/dispatched/row_adamw.hpp on CUDA.

#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include <optional>

#include "kernels.hpp"
#include "ops/dispatched/adamw_of_tensors.hpp"

namespace diffuse::cuda::adamw {
namespace {

void follow_rows(const at::Tensor& values, const at::Tensor& moment1, const at::Tensor& moment2,
                 const at::Tensor& last, const at::Tensor& clock,
                 const std::optional<at::Tensor>& ids, bool present, at::ArrayRef<double> rule) {
  const c10::cuda::CUDAGuard guard(values.device());
  cuda::follow_rows(adamw_table(values, moment1, moment2, last, clock, rule), ids_of(ids),
                    ids ? ids->size(0) : values.size(0), present,
                    c10::cuda::getCurrentCUDAStream());
  C10_CUDA_KERNEL_LAUNCH_CHECK();
}

void update_rows(const at::Tensor& values, const at::Tensor& moment1, const at::Tensor& moment2,
                 const at::Tensor& last, const at::Tensor& clock, const at::Tensor& ids,
                 const at::Tensor& gradient, const std::optional<at::Tensor>& divisor,
                 at::ArrayRef<double> rule) {
  const c10::cuda::CUDAGuard guard(values.device());
  cuda::update_rows(adamw_table(values, moment1, moment2, last, clock, rule), ids_of(ids),
                    ids.size(0), gradient.const_data_ptr<float>(),
                    divisor ? divisor->const_data_ptr<float>() : nullptr,
                    c10::cuda::getCurrentCUDAStream());
  C10_CUDA_KERNEL_LAUNCH_CHECK();
}

}  // namespace
}  // namespace diffuse::cuda::adamw

TORCH_LIBRARY_IMPL(diffuse, CUDA, library) {
  library.impl("follow_rows", &diffuse::cuda::adamw::follow_rows);
  library.impl("update_rows", &diffuse::cuda::adamw::update_rows);
}
