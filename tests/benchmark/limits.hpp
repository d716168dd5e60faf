#pragma once

#include <benchmark/benchmark.h>

namespace diffuse {

/// What the machine gives at the moment, beside whatever else it does.
struct Limits {
  double flops_per_s =
      0;  ///< of LibTorch's matrix products in float32, at the size that suits best
  double bytes_per_s = 0;  ///< of a copy or a triad of arrays that no cache holds
};

/// Of one thread by its processor time, which a busy neighbour takes little of; of several by the
/// clock. Measured anew where the last time is more than two seconds ago, in a tenth of a second.
const Limits& measured_limits(int threads);

/// Lets what `threads` threads compute be timed as the limits are.
inline benchmark::internal::Benchmark* timed(benchmark::internal::Benchmark* one, int threads) {
  return threads == 1 ? one : one->UseRealTime();
}

/// The least that a call must do.
struct LeastWork {
  double flops = 0;  ///< of matrix products and neighbour sums
  double bytes = 0;  ///< to and from memory
};

/// Adds what a call does to a benchmark's report: GFLOP/s, GB/s, and both as shares of the limits
/// `of`; the limit with the greater share is the one that binds.
void report_work(benchmark::State& state, const LeastWork& work, const Limits& of);

}  // namespace diffuse
