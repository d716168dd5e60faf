#include "run_progress.hpp"

#include <algorithm>

namespace diffuse {

void RunProgress::resume(double elapsed_s) {
  before_s_ = elapsed_s;
  start_s_ = steady_now_s();
}

double RunProgress::elapsed_s() const { return before_s_ + steady_now_s() - start_s_; }

double RunProgress::elapsed_share() const {
  return plan_.time_limit_s > 0 ? elapsed_s() / plan_.time_limit_s : 0;
}

double RunProgress::done_share(std::int64_t update) const {
  return plan_.time_limit_s > 0 ? std::min(elapsed_share(), 1.0)
                                : static_cast<double>(update) / static_cast<double>(plan_.total);
}

std::optional<double> RunProgress::remaining_s(std::int64_t update) const {
  const double done = done_share(update);
  if (done <= 0) return std::nullopt;
  return elapsed_s() * (1 - done) / done;
}

bool RunProgress::patience_ran_out(const TrainingState& state) const {
  return patience_ > 0 && state.evaluations_without_gain >= patience_;
}

bool RunProgress::finished(const TrainingState& state) const {
  return state.update >= plan_.total || state.stopped_early ||
         (plan_.time_limit_s > 0 && elapsed_s() >= plan_.time_limit_s);
}

}  // namespace diffuse
