#include "running_figures.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/stack.h>

#include <utility>

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
  pending_values_.push_back(
      at::stack({figures.loss, figures.gradient_norm, figures.correct.to(at::kFloat)}));
  UpdateFigures& kept = pending_.emplace_back(figures);
  // Not to be held twice.
  kept.loss.reset();
  kept.gradient_norm.reset();
  kept.correct.reset();
}

RecentLosses RunningFigures::recent() const {
  RecentLosses recent = monitor_.recent();
  recent.last_gradient_norm = last_gradient_norm_;
  return recent;
}

void RunningFigures::resume_recent(const RecentLosses& recent) {
  monitor_.restore(recent);
  last_gradient_norm_ = recent.last_gradient_norm;
}

std::optional<Divergence> RunningFigures::drain() {
  if (pending_.empty()) return std::nullopt;
  const at::Tensor values = at::stack(pending_values_).to(at::kCPU);
  const float* row = values.const_data_ptr<float>();
  for (UpdateFigures& update : pending_) {
    const double loss = row[0], norm = row[1], correct = row[2];
    row += 3;
    if (const auto what = monitor_.note(loss, norm, update.skipped)) {
      return Divergence{.what = *what,
                        .update = update.update,
                        .loss = loss,
                        .learning_rate = update.learning_rate,
                        .gradient_norm = norm,
                        .last_finite_norm = last_gradient_norm_,
                        .loss_scale = update.loss_scale,
                        .rows = std::move(update.rows)};
    }
    if (!update.skipped) last_gradient_norm_ = norm;
    last_loss_scale_ = update.loss_scale;
    for (FigureSums* sums : {&window_, &period_}) {
      sums->loss_sum += loss * static_cast<double>(update.examples);
      sums->correct += correct;
      sums->examples += update.examples;
      sums->tokens += update.tokens;
      sums->skipped_updates += update.skipped ? 1 : 0;
    }
  }
  pending_.clear();
  pending_values_.clear();
  return std::nullopt;
}

}  // namespace diffuse
