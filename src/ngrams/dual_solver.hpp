#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "diffuse/ngrams/linear_svm.hpp"

namespace diffuse {

/// Dual coordinate descent of some of the machines of a problem, which look at each row together:
/// what a row's n-grams cost is the way to their weights. A machine's result does not depend on
/// which others are beside it.
class DualSolver {
 public:
  /// Of machines `first` … `first + count` - 1 of `machines`.
  DualSolver(const LinearProblem& problem, std::int64_t machines, std::int64_t first,
             std::int64_t count);

  /// Begins with another solution: `weights` [V + 1, machines], `dual` [machines, n].
  void start(std::span<const float> weights, std::span<const float> dual);
  /// Takes the rows for which `left_out` is true out, with what they gave the weights.
  void leave_out(const std::vector<bool>& left_out);
  /// Descends until the projected gradient is below the tolerance. Throws Stopped between two
  /// passes over the rows where a stop signal has arrived.
  void solve();

  /// Copies the solution to its place among those of all machines.
  void store(std::span<float> weights, std::span<float> dual) const;
  /// w · x + b of row i for each of the machines, at `to`.
  void margins(std::size_t i, float* to) const;

 private:
  struct Machine {
    double largest_before = 0;  // projected gradients of the last epoch: bounds for shrinking
    double largest = 0;
    double smallest = 0;
    bool done = false;
    bool shrunk = false;
  };

  template <int kMachines>
  void run_epoch(std::span<const std::uint32_t> order);
  void begin_epoch();
  bool end_epoch();
  /// +1 where row i is of machine m's class.
  float sign(std::size_t i, std::int64_t m) const;
  void add_row(std::size_t i, std::int64_t m, float factor);

  const LinearProblem& problem_;
  std::int64_t machines_;
  std::int64_t first_;
  std::int64_t count_;
  std::vector<float> weights_;         // [V + 1, count]
  std::vector<float> dual_;            // [n, count]
  std::vector<std::uint8_t> is_out_;   // [n, count] shrunk away, or left out
  std::vector<bool> left_out_;         // [n]
  std::vector<float> square_lengths_;  // [n], the bias counted
  std::vector<Machine> state_;
};

}  // namespace diffuse
