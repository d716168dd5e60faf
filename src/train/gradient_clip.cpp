#include "diffuse/train/gradient_clip.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>

#include "diffuse/base/error.hpp"

namespace diffuse {

GradientClip measure_gradients(const std::vector<at::Tensor>& gradients, double max_norm,
                               double other_square_sum) {
  if (gradients.empty())
    throw Error("No parameter has a gradient: the loss does not depend on the model.");
  const at::NoGradGuard no_grad;
  GradientClip clip;
  clip.norm = at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients, 2)));
  if (other_square_sum > 0) clip.norm = clip.norm.square().add(other_square_sum).sqrt();
  if (max_norm > 0) clip.divisor = clip.norm.div(max_norm).clamp_min(1);
  return clip;
}

}  // namespace diffuse
