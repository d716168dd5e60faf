#include "diffuse/ops/dispatched/text_loss.hpp"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <optional>
#include <utility>

#include "cpu_text_loss.hpp"
#include "diffuse/base/error.hpp"
#include "operation.hpp"

TORCH_LIBRARY_FRAGMENT(diffuse, library) {
  library.def(
      "text_losses(Tensor logits, Tensor labels, Tensor? distributions, Tensor? weights, bool "
      "several, float smoothing) -> (Tensor, Tensor, Tensor)");
}

TORCH_LIBRARY_IMPL(diffuse, CPU, library) {
  library.impl("text_losses", &diffuse::cpu::text_losses);
}

namespace diffuse {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

std::optional<at::Tensor> if_defined(const at::Tensor& tensor) {
  return tensor.defined() ? std::optional(tensor) : std::nullopt;
}

/// The losses of the texts, [B], and which are right.
class TextLosses : public torch::autograd::Function<TextLosses> {
 public:
  static variable_list forward(AutogradContext* context, const at::Tensor& logits,
                               const LossTargets& targets) {
    static const auto call = operation("diffuse::text_losses", &cpu::text_losses);
    const at::AutoDispatchBelowADInplaceOrView below;
    auto [loss, gradient, correct] =
        call.call(logits, targets.labels, if_defined(targets.distributions),
                  if_defined(targets.weights), targets.several, targets.label_smoothing);
    context->save_for_backward({gradient});
    context->mark_non_differentiable({correct});
    return {loss, correct};
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    return {context->get_saved_variables()[0].mul(gradients[0].unsqueeze(1)), {}};
  }
};

void check(const at::Tensor& logits, const LossTargets& targets) {
  const auto fits = [&](const at::Tensor& tensor, at::ScalarType type, at::IntArrayRef sizes) {
    return !tensor.defined() || (tensor.scalar_type() == type && tensor.sizes() == sizes);
  };
  const bool right = logits.dim() == 2 && logits.size(1) > 0 && targets.labels.defined() &&
                     fits(targets.labels, at::kLong, {logits.size(0)}) &&
                     fits(targets.distributions, at::kFloat, logits.sizes()) &&
                     fits(targets.weights, at::kFloat, {logits.size(0)}) &&
                     (!targets.several || targets.distributions.defined());
  if (!right)
    throw Error(
        "text_loss_sum: expected logits [B, C], labels int64 [B], and where there are any "
        "distributions float32 [B, C] and weights float32 [B]; of several labels distributions.");
}

at::Tensor contiguous(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.contiguous() : tensor;
}

}  // namespace

TextLossSum text_loss_sum(const at::Tensor& logits, const LossTargets& targets) {
  check(logits, targets);
  LossTargets dense = targets;
  dense.labels = contiguous(targets.labels);
  dense.distributions = contiguous(targets.distributions);
  dense.weights = contiguous(targets.weights);
  const variable_list found = TextLosses::apply(logits.contiguous(), dense);
  return {found[0].sum(), found[1].sum()};
}

}  // namespace diffuse
