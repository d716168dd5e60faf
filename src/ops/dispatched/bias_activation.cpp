#include "diffuse/ops/dispatched/bias_activation.hpp"

#include <fmt/core.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "cpu_bias_activation.hpp"
#include "diffuse/base/error.hpp"
#include "operation.hpp"

TORCH_LIBRARY_FRAGMENT(diffuse, library) {
  library.def("bias_activation(Tensor product, Tensor bias, int activation, bool gated) -> Tensor");
  library.def(
      "bias_activation_backward(Tensor gradient, Tensor product, Tensor bias, int activation, bool "
      "gated) -> (Tensor, Tensor)");
}

TORCH_LIBRARY_IMPL(diffuse, CPU, library) {
  library.impl("bias_activation", &diffuse::cpu::bias_activation);
  library.impl("bias_activation_backward", &diffuse::cpu::bias_activation_backward);
}

namespace diffuse {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class BiasActivationFunction : public torch::autograd::Function<BiasActivationFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& product,
                            const at::Tensor& bias, std::int64_t activation, bool gated) {
    static const auto call = operation("diffuse::bias_activation", &cpu::bias_activation);
    const at::AutoDispatchBelowADInplaceOrView below;
    context->save_for_backward({product, bias});
    context->saved_data["activation"] = activation;
    context->saved_data["gated"] = gated;
    return call.call(product, bias, activation, gated);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    static const auto call =
        operation("diffuse::bias_activation_backward", &cpu::bias_activation_backward);
    const variable_list saved = context->get_saved_variables();
    auto [product, bias] =
        call.call(gradients[0].contiguous(), saved[0], saved[1],
                  context->saved_data["activation"].toInt(), context->saved_data["gated"].toBool());
    return {product, bias, {}, {}};
  }
};

at::Tensor apply_activation(const at::Tensor& product, const at::Tensor& bias,
                            Activation activation, bool gated) {
  const at::ScalarType type = product.scalar_type();
  const bool known =
      type == at::kDouble || type == at::kFloat || type == at::kBFloat16 || type == at::kHalf;
  const at::ScalarType sums = type == at::kDouble ? at::kDouble : at::kFloat;
  const bool fits = product.dim() == 2 && product.size(1) > 0 &&
                    (!gated || product.size(1) % 2 == 0) &&
                    bias.sizes() == product.sizes().slice(1) && bias.scalar_type() == sums;
  if (!known || !fits)
    throw Error(fmt::format(
        "{}: product must be [N, {}] of a floating type, bias a row of it, of float64 with float64 "
        "products, else float32; got {} of {} dimensions and a bias of {}.",
        gated ? "gated_activation" : "bias_activation", gated ? "2 H" : "H", c10::toString(type),
        product.dim(), c10::toString(bias.scalar_type())));
  return BiasActivationFunction::apply(product.contiguous(), bias.contiguous(),
                                       static_cast<std::int64_t>(activation), gated);
}

}  // namespace

at::Tensor bias_activation(const at::Tensor& product, const at::Tensor& bias,
                           Activation activation) {
  return apply_activation(product, bias, activation, /*gated=*/false);
}

at::Tensor gated_activation(const at::Tensor& product, const at::Tensor& bias,
                            Activation activation) {
  return apply_activation(product, bias, activation, /*gated=*/true);
}

}  // namespace diffuse
