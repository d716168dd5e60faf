#include "diffuse/ops/adversarial.hpp"

#include <algorithm>
#include <cmath>

#include "embed.hpp"
#include "kernels.hpp"

namespace diffuse {
namespace {

constexpr std::int64_t kTaskTexts = 8;

/// to = factor · from.
void scale_rows(const float* __restrict from, float factor, std::int64_t count,
                float* __restrict to) {
  for (std::int64_t c = 0; c < count; ++c) to[c] = factor * from[c];
}

}  // namespace

void adversarial_step(const DiffusionInput& input, std::int64_t dim, double size,
                      const float* gradient, WorkerPool& workers, float* step) {
  const cpu::Kernels& kernels = cpu::kernels_of({});
  const auto texts = static_cast<std::int64_t>(input.offsets.size()) - 1;
  workers.run((texts + kTaskTexts - 1) / kTaskTexts, [&](std::int64_t task, std::int64_t) {
    const std::int64_t end = std::min(texts, (task + 1) * kTaskTexts);
    for (std::int64_t text = task * kTaskTexts; text < end; ++text) {
      const std::int64_t first = input.offsets[static_cast<std::size_t>(text)];
      const std::int64_t rows = input.offsets[static_cast<std::size_t>(text) + 1] - first;
      float* to = step + first * dim;
      const float* from = gradient + first * dim;
      double of_embeddings = 0;
      for (std::int64_t i = 0; i < rows; ++i) {
        // The embeddings pass through the place of the step that comes there.
        cpu::embed_row(input, first + i, dim, to + i * dim);
        of_embeddings += kernels.square_sum(to + i * dim, dim);
      }
      double of_gradient = 0;
      for (std::int64_t i = 0; i < rows; ++i)
        of_gradient += kernels.square_sum(from + i * dim, dim);
      const double factor = of_gradient == 0 ? 0 : size * std::sqrt(of_embeddings / of_gradient);
      scale_rows(from, static_cast<float>(factor), rows * dim, to);
    }
  });
}

}  // namespace diffuse
