#pragma once

#include <map>
#include <tuple>

#include "diffuse/bench/comparison.hpp"

namespace diffuse {

/// How fast the contenders have been so far: tells what a case will take before it is run, and
/// which precision is the faster one.
class Pace {
 public:
  enum class Side { ours, other };

  /// What decides a pace beside the work itself.
  struct Key {
    Side side = Side::ours;
    BenchMode mode = BenchMode::train;
    Precision precision = Precision::fp32;
    std::string device;
    int threads = 1;
    bool single = false;  ///< one text alone, which is another kind of work than many
    auto operator<=>(const Key&) const = default;
  };

  /// Notes that work of `units` took `seconds`.
  void note(const Key& key, double units, double seconds);
  /// Whether anything was noted for `key`.
  bool known(const Key& key) const;
  /// Seconds that work of `units` will take by the last pace noted for `key`, which must be known.
  double expected_s(const Key& key, double units) const;

 private:
  std::map<Key, double> units_a_second_;
};

/// The amount of work of one call: operations where they are known, else tokens.
double work_units(const std::optional<double>& flops, double tokens);

}  // namespace diffuse
