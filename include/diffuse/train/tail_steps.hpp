#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace diffuse {

/// How far a parameter of Adam goes on after its last gradient: in units of m / sqrt(v), the
/// moments of that update, the sum over the updates since of rate · decay^k. The rates of a few
/// hundred updates decide each sum; later terms are nothing.
class TailSteps {
 public:
  /// `decay`: beta1 / sqrt(beta2), below 1.
  explicit TailSteps(double decay);

  /// Updates after which a tail is at its end; 0 for a decay that has none worth speaking of.
  static std::int64_t length(double decay);

  /// Notes that an update was made at `rate`, the learning rate with Adam's corrections in it.
  void add(double rate);
  /// The sum for a parameter whose last gradient came at update `last`, 1-based.
  double since(std::int64_t last) const;

  /// The sums that have come to an end and those that have not: float64, shared with nobody.
  at::Tensor state() const;
  /// Elements of state() after `update` updates.
  std::int64_t state_size(std::int64_t update) const;
  /// Takes up state() after `update` updates.
  void set_state(const at::Tensor& state, std::int64_t update);

 private:
  std::int64_t length_;
  std::int64_t update_ = 0;
  std::vector<double> powers_;  // [k]: decay^k
  std::vector<double> open_;    // [g]: for the parameter whose last gradient was g updates ago
  std::vector<double> closed_;  // [u]: of last gradients at update u, once at their end
};

}  // namespace diffuse
