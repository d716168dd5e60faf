#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace diffuse {

/// What clipping by the global norm asks for; both float32 scalars on the gradients' device, so
/// that no step waits for a GPU.
struct GradientClip {
  at::Tensor norm;     ///< Euclidean norm of all gradients as one vector, before clipping
  at::Tensor divisor;  ///< max(1, norm / max_norm); undefined where `max_norm` is 0 (no clipping)
};

/// Computes the norm and the divisor that brings it down to `max_norm`. `other_square_sum`: that of
/// a gradient which is no tensor. The gradients stay as they are: the optimizer divides in the pass
/// that it makes anyway. Throws Error for no gradients.
GradientClip measure_gradients(const std::vector<at::Tensor>& gradients, double max_norm,
                               double other_square_sum = 0);

}  // namespace diffuse
