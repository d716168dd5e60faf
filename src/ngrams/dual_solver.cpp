#include "dual_solver.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "diffuse/base/random.hpp"
#include "diffuse/base/signals.hpp"

namespace diffuse {
namespace {

// What liblinear stops at by default is 0.1; test accuracy no longer moves below that.
constexpr double kTolerance = 0.03;
constexpr int kMostEpochs = 200;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

DualSolver::DualSolver(const LinearProblem& problem, std::int64_t machines, std::int64_t first,
                       std::int64_t count)
    : problem_(problem),
      machines_(machines),
      first_(first),
      count_(count),
      weights_(static_cast<std::size_t>((problem.features + 1) * count)),
      dual_(problem.which.size() * static_cast<std::size_t>(count)),
      is_out_(dual_.size()),
      left_out_(problem.which.size()) {
  square_lengths_.reserve(problem.which.size());
  for (const std::uint32_t row : problem.which) {
    float sum = 1;
    for (const NgramValue& ngram : problem.rows.row(row)) sum += ngram.value * ngram.value;
    square_lengths_.push_back(sum);
  }
}

float DualSolver::sign(std::size_t i, std::int64_t m) const {
  if (!problem_.has.empty())
    return problem_.has[i * static_cast<std::size_t>(problem_.classes) +
                        static_cast<std::size_t>(first_ + m)] != 0
               ? 1.0F
               : -1.0F;
  const std::int64_t label = machines_ == 1 ? 1 : first_ + m;
  return problem_.labels[i] == label ? 1.0F : -1.0F;
}

void DualSolver::start(std::span<const float> weights, std::span<const float> dual) {
  const auto n = problem_.which.size();
  for (std::int64_t v = 0; v <= problem_.features; ++v)
    std::copy_n(&weights[static_cast<std::size_t>(v * machines_ + first_)], count_,
                &weights_[static_cast<std::size_t>(v * count_)]);
  for (std::int64_t m = 0; m < count_; ++m) {
    for (std::size_t i = 0; i < n; ++i)
      dual_[i * static_cast<std::size_t>(count_) + static_cast<std::size_t>(m)] =
          dual[static_cast<std::size_t>(first_ + m) * n + i];
  }
}

void DualSolver::add_row(std::size_t i, std::int64_t m, float factor) {
  for (const NgramValue& ngram : problem_.rows.row(problem_.which[i]))
    weights_[static_cast<std::size_t>(ngram.id * count_ + m)] += factor * ngram.value;
  weights_[static_cast<std::size_t>(problem_.features * count_ + m)] += factor;
}

void DualSolver::leave_out(const std::vector<bool>& left_out) {
  left_out_ = left_out;
  for (std::size_t i = 0; i < left_out.size(); ++i) {
    if (!left_out[i]) continue;
    for (std::int64_t m = 0; m < count_; ++m) {
      float& dual = dual_[i * static_cast<std::size_t>(count_) + static_cast<std::size_t>(m)];
      if (dual != 0) add_row(i, m, -dual * sign(i, m));
      dual = 0;
    }
  }
}

void DualSolver::begin_epoch() {
  for (Machine& machine : state_) {
    machine.largest = -kInfinity;
    machine.smallest = kInfinity;
  }
}

/// Whether all machines are done.
bool DualSolver::end_epoch() {
  bool all = true;
  for (std::int64_t m = 0; m < count_; ++m) {
    Machine& machine = state_[static_cast<std::size_t>(m)];
    if (machine.done) continue;
    machine.largest_before = machine.largest > 0 ? machine.largest : kInfinity;
    if (!(machine.largest - machine.smallest > kTolerance)) {
      machine.done = !machine.shrunk;  // else all rows are looked at once more
      machine.shrunk = false;
      machine.largest_before = kInfinity;
      for (std::size_t i = 0; i < left_out_.size(); ++i)
        is_out_[i * static_cast<std::size_t>(count_) + static_cast<std::size_t>(m)] =
            machine.done || left_out_[i] ? 1 : 0;
    }
    all = all && machine.done;
  }
  return all;
}

template <int kMachines>
void DualSolver::run_epoch(std::span<const std::uint32_t> order) {
  const std::int64_t count = kMachines > 0 ? kMachines : count_;
  const auto width = static_cast<std::size_t>(count);
  std::vector<float> sums(width);
  std::vector<float> steps(width);
  float* const bias = &weights_[static_cast<std::size_t>(problem_.features * count)];
  for (const std::uint32_t i : order) {
    const std::uint8_t* out = &is_out_[i * width];
    if (std::all_of(out, out + width, [](std::uint8_t one) { return one != 0; })) continue;
    const std::span<const NgramValue> row = problem_.rows.row(problem_.which[i]);
    for (std::size_t m = 0; m < width; ++m) sums[m] = bias[m];
    for (const NgramValue& ngram : row) {
      const float* weights = &weights_[static_cast<std::size_t>(ngram.id) * width];
      for (std::size_t m = 0; m < width; ++m) sums[m] += ngram.value * weights[m];
    }
    const float importance = problem_.importance.empty() ? 1.0F : problem_.importance[i];
    if (importance == 0) continue;
    const double ridge = 0.5 / (problem_.cost * static_cast<double>(importance));
    bool moved = false;
    for (std::size_t m = 0; m < width; ++m) {
      steps[m] = 0;
      if (out[m] != 0) continue;
      Machine& machine = state_[m];
      float& dual = dual_[i * width + m];
      const float y = sign(i, static_cast<std::int64_t>(m));
      const double gradient =
          static_cast<double>(y * sums[m]) - 1 + static_cast<double>(dual) * ridge;
      if (dual == 0 && gradient > machine.largest_before) {
        is_out_[i * width + m] = 1;
        machine.shrunk = true;
        continue;
      }
      const double projected = dual == 0 ? std::min(gradient, 0.0) : gradient;
      machine.largest = std::max(machine.largest, projected);
      machine.smallest = std::min(machine.smallest, projected);
      if (projected == 0) continue;
      const double curvature = static_cast<double>(square_lengths_[i]) + ridge;
      const float next =
          static_cast<float>(std::max(static_cast<double>(dual) - gradient / curvature, 0.0));
      steps[m] = (next - dual) * y;
      dual = next;
      moved = moved || steps[m] != 0;
    }
    if (!moved) continue;
    for (const NgramValue& ngram : row) {
      float* weights = &weights_[static_cast<std::size_t>(ngram.id) * width];
      for (std::size_t m = 0; m < width; ++m) weights[m] += ngram.value * steps[m];
    }
    for (std::size_t m = 0; m < width; ++m) bias[m] += steps[m];
  }
}

void DualSolver::solve() {
  state_.assign(static_cast<std::size_t>(count_), Machine{.largest_before = kInfinity});
  for (std::size_t i = 0; i < left_out_.size(); ++i)
    std::fill_n(&is_out_[i * static_cast<std::size_t>(count_)], count_, left_out_[i] ? 1 : 0);
  std::vector<std::uint32_t> order(problem_.which.size());
  for (int epoch = 0; epoch < kMostEpochs; ++epoch) {
    throw_if_stopped();
    // Of the epoch alone: a machine's way does not depend on the others'.
    std::iota(order.begin(), order.end(), 0U);
    Random random(mix_seed(problem_.seed, static_cast<std::uint64_t>(epoch)));
    shuffle(order, random);
    begin_epoch();
    switch (count_) {
      case 1:
        run_epoch<1>(order);
        break;
      case 2:
        run_epoch<2>(order);
        break;
      case 4:
        run_epoch<4>(order);
        break;
      default:
        run_epoch<0>(order);
    }
    if (end_epoch()) return;
  }
}

void DualSolver::store(std::span<float> weights, std::span<float> dual) const {
  const auto n = problem_.which.size();
  for (std::int64_t v = 0; v <= problem_.features; ++v)
    std::copy_n(&weights_[static_cast<std::size_t>(v * count_)], count_,
                &weights[static_cast<std::size_t>(v * machines_ + first_)]);
  for (std::int64_t m = 0; m < count_; ++m) {
    for (std::size_t i = 0; i < n; ++i)
      dual[static_cast<std::size_t>(first_ + m) * n + i] =
          dual_[i * static_cast<std::size_t>(count_) + static_cast<std::size_t>(m)];
  }
}

void DualSolver::margins(std::size_t i, float* to) const {
  std::copy_n(&weights_[static_cast<std::size_t>(problem_.features * count_)], count_, to);
  for (const NgramValue& ngram : problem_.rows.row(problem_.which[i]))
    for (std::int64_t m = 0; m < count_; ++m)
      to[m] += ngram.value * weights_[static_cast<std::size_t>(ngram.id * count_ + m)];
}

}  // namespace diffuse
