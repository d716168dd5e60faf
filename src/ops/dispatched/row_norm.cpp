#include "diffuse/ops/dispatched/row_norm.hpp"

#include <fmt/core.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <utility>

#include "cpu_row_norm.hpp"
#include "diffuse/base/error.hpp"
#include "operation.hpp"

TORCH_LIBRARY_FRAGMENT(diffuse, library) {
  library.def(
      "row_norm(Tensor x, Tensor weight, Tensor bias, float eps, ScalarType type) -> (Tensor, "
      "Tensor)");
  library.def(
      "row_norm_backward(Tensor gradient, Tensor x, Tensor weight, Tensor moments) -> (Tensor, "
      "Tensor, Tensor)");
}

TORCH_LIBRARY_IMPL(diffuse, CPU, library) {
  library.impl("row_norm", &diffuse::cpu::row_norm);
  library.impl("row_norm_backward", &diffuse::cpu::row_norm_backward);
}

namespace diffuse {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class RowNormFunction : public torch::autograd::Function<RowNormFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias, double eps, at::ScalarType type) {
    static const auto call = operation("diffuse::row_norm", &cpu::row_norm);
    const at::AutoDispatchBelowADInplaceOrView below;
    auto [rows, moments] = call.call(x, weight, bias, eps, type);
    context->save_for_backward({x, weight, moments});
    return rows;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    static const auto call = operation("diffuse::row_norm_backward", &cpu::row_norm_backward);
    const variable_list saved = context->get_saved_variables();
    auto [x, weight, bias] = call.call(gradients[0].contiguous(), saved[0], saved[1], saved[2]);
    return {x, weight, bias, {}, {}};
  }
};

}  // namespace

at::Tensor row_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                    double eps, at::ScalarType type) {
  const at::ScalarType sums = x.scalar_type();
  const bool known =
      (sums == at::kDouble && type == at::kDouble) ||
      (sums == at::kFloat && (type == at::kFloat || type == at::kBFloat16 || type == at::kHalf));
  const bool fits = x.dim() == 2 && x.size(1) > 0 && weight.sizes() == x.sizes().slice(1) &&
                    bias.sizes() == weight.sizes() && weight.scalar_type() == sums &&
                    bias.scalar_type() == sums;
  if (!known || !fits)
    throw Error(fmt::format(
        "row_norm: x must be [N, D], weight and bias [D], all of float32 or all of float64, and "
        "the result of that type or, of float32, of 16 bits; got {} of {} dimensions to {}.",
        c10::toString(sums), x.dim(), c10::toString(type)));
  return RowNormFunction::apply(x.contiguous(), weight.contiguous(), bias.contiguous(), eps, type);
}

}  // namespace diffuse
