#pragma once

#include <functional>
#include <span>
#include <vector>

#include "diffuse/bench/comparison.hpp"

namespace diffuse {

/// How much one call is given.
struct TrialSize {
  std::int64_t texts = 1;
  std::int64_t tokens = 1;  ///< of each text
  bool operator==(const TrialSize&) const = default;
};

/// What a trial times: a contender in one case.
class TrialSubject {
 public:
  virtual ~TrialSubject() = default;
  /// Of a call of the case itself.
  virtual TrialSize own_size() const = 0;
  /// The amount of work in a call of `size`: operations, or tokens where those are not known.
  virtual double work(const TrialSize& size) const = 0;
  virtual void prepare(Precision precision) = 0;
  /// What the next calls are given.
  virtual void load(const TrialSize& size) = 0;
  /// Returns when the work is done.
  virtual void call() = 0;
};

struct TrialOptions {
  double longest_call_s = 3;  ///< what is expected to take longer is estimated from a smaller call
  TrialSize first = {2, 32};
  std::int64_t least_calls = 3;
  double least_s = 0.2;  ///< of calls of the case's own size, in all
  double enough_s = 1;   ///< after this much time one call is enough
  std::int64_t most_calls = 100;
};

/// Finds out what a call takes in a precision. Begins with a call of hardly any work and goes on to
/// as large a one as is expected to be short enough, at best one of the case's own size. At every
/// size the first call is a warm-up, whose time counts for nothing: on a GPU it loads and chooses
/// kernels and may take a thousand times as long as the next.
class PrecisionTrial {
 public:
  /// `now_s` is the clock.
  PrecisionTrial(const TrialOptions& options, std::function<double()> now_s)
      : options_(options), now_s_(std::move(now_s)) {}

  /// Stops where the time that is expected of a call of the case is `good_enough`, which small
  /// calls make too long rather than too short. A size that the subject lacks memory for, or cannot
  /// take, is left out.
  TriedPrecision time(TrialSubject& subject, Precision precision,
                      const std::function<bool(double)>& good_enough = {}) const;

 private:
  double median_call_s(TrialSubject& subject, double least_s) const;

  TrialOptions options_;
  std::function<double()> now_s_;
};

/// The precisions that a model may be measured in on `device`: what the device computes in.
std::vector<Precision> device_precisions(at::Device device);

/// The fastest of `tried`, by position; the first where none could be timed. Throws Error for none.
std::size_t fastest_precision(std::span<const TriedPrecision> tried);

}  // namespace diffuse
