#pragma once

#include <cstdint>

#include "diffuse/base/worker_pool.hpp"
#include "diffuse/ops/fused_diffusion.hpp"

namespace diffuse {

/// The step of adversarial training (Miyato, Dai, Goodfellow: Adversarial training methods for
/// semi-supervised text classification, ICLR 2017): for each text, its embeddings taken as one
/// vector, a step of `size` times their norm in the direction in which its loss rises fastest.
/// `gradient` and `step` `[N, dim]`: of the sum of the input's tables, to which the step is meant
/// to be added. Where the gradient is zero the step is. Depends on the input alone, never on the
/// number of threads.
void adversarial_step(const DiffusionInput& input, std::int64_t dim, double size,
                      const float* gradient, WorkerPool& workers, float* step);

}  // namespace diffuse
