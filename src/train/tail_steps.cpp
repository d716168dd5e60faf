#include "diffuse/train/tail_steps.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>

namespace diffuse {
namespace {

constexpr double kNegligible = 1e-6;
constexpr std::int64_t kLongest = 4096;

}  // namespace

std::int64_t TailSteps::length(double decay) {
  if (!(decay > 0)) return 1;
  if (decay >= 1) return 0;
  const double updates = std::ceil(std::log(kNegligible) / std::log(decay));
  return updates > static_cast<double>(kLongest)
             ? 0
             : std::max<std::int64_t>(static_cast<std::int64_t>(updates), 1);
}

TailSteps::TailSteps(double decay)
    : length_(std::max<std::int64_t>(length(decay), 1)),
      open_(static_cast<std::size_t>(length_) + 1, 0.0),
      closed_(1, 0.0) {
  for (std::int64_t k = 0; k <= length_; ++k)
    powers_.push_back(std::pow(decay, static_cast<double>(k)));
}

void TailSteps::add(double rate) {
  ++update_;
  // A tail that is one update older has one term more.
  for (std::size_t g = open_.size() - 1; g > 0; --g) open_[g] = open_[g - 1] + rate * powers_[g];
  open_[0] = 0;
  const std::int64_t ended = update_ - length_;
  if (ended >= static_cast<std::int64_t>(closed_.size())) closed_.push_back(open_.back());
}

double TailSteps::since(std::int64_t last) const {
  if (last <= 0) return 0;
  const std::int64_t updates = update_ - last;
  return updates <= length_ ? open_[static_cast<std::size_t>(updates)]
                            : closed_[static_cast<std::size_t>(last)];
}

at::Tensor TailSteps::state() const {
  at::Tensor state =
      at::empty({static_cast<std::int64_t>(open_.size() + closed_.size())}, at::kDouble);
  double* to = state.mutable_data_ptr<double>();
  std::copy(closed_.begin(), closed_.end(), std::copy(open_.begin(), open_.end(), to));
  return state;
}

std::int64_t TailSteps::state_size(std::int64_t update) const {
  return static_cast<std::int64_t>(open_.size()) + std::max<std::int64_t>(1, update - length_ + 1);
}

void TailSteps::set_state(const at::Tensor& state, std::int64_t update) {
  const double* from = state.const_data_ptr<double>();
  const auto open = static_cast<std::int64_t>(open_.size());
  open_.assign(from, from + open);
  closed_.assign(from + open, from + state.numel());
  update_ = update;
}

}  // namespace diffuse
