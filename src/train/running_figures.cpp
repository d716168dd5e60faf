#include "running_figures.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/stack.h>
#include <fmt/core.h>

#include <cmath>

#include "diffuse/base/error.hpp"

namespace diffuse {

std::optional<double> FigureSums::mean_loss() const {
  if (examples == 0) return std::nullopt;
  return loss_sum / static_cast<double>(examples);
}

std::optional<double> FigureSums::accuracy() const {
  if (examples == 0) return std::nullopt;
  return correct / static_cast<double>(examples);
}

void RunningFigures::add(const UpdateFigures& figures) {
  const at::NoGradGuard no_grad;
  pending_.push_back({figures.update, figures.examples, figures.tokens, figures.learning_rate});
  pending_values_.push_back(
      at::stack({figures.loss, figures.gradient_norm, figures.correct.to(at::kFloat)}));
}

void RunningFigures::drain() {
  if (pending_.empty()) return;
  const at::Tensor values = at::stack(pending_values_).to(at::kCPU);
  const float* row = values.const_data_ptr<float>();
  for (const Pending& update : pending_) {
    const double loss = row[0], norm = row[1], correct = row[2];
    row += 3;
    if (!std::isfinite(loss) || !std::isfinite(norm))
      throw TrainingError(fmt::format(
          "Training diverged at update {}: the {} is {} (learning rate {:.3g}, last finite "
          "gradient norm {:.3g}). Lower train.learning_rate, lengthen train.warmup or set a "
          "smaller train.clip_norm (0 is off).",
          update.update, std::isfinite(loss) ? "gradient norm" : "loss",
          std::isfinite(loss) ? norm : loss, update.learning_rate, last_gradient_norm_));
    last_gradient_norm_ = norm;
    for (FigureSums* sums : {&window_, &period_}) {
      sums->loss_sum += loss * static_cast<double>(update.examples);
      sums->correct += correct;
      sums->examples += update.examples;
      sums->tokens += update.tokens;
    }
  }
  pending_.clear();
  pending_values_.clear();
}

}  // namespace diffuse
