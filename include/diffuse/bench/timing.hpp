#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace diffuse {

/// How long to warm up and to measure.
struct TimingOptions {
  std::int64_t warm_up_calls = 10;  ///< of each contender, but see `warm_up_s`
  double warm_up_s = 20;            ///< after this much time one call is enough
  double measure_s = 8;             ///< of the slowest contender's calls
  std::int64_t least_rounds = 3;
  std::int64_t most_rounds = 20;
  std::int64_t most_calls_a_round = 10;  ///< of a fast contender beside a slow one
};

/// The times of one contender.
struct TimedCalls {
  std::vector<double> samples_s;  ///< each call after the warm-up
  std::int64_t warm_up_calls = 0;
};

/// How many rounds `time_interleaved` makes where the slowest call takes `call_s`.
std::int64_t round_count(const TimingOptions& options, double call_s);
/// Seconds that warm-up and rounds take a contender whose call takes `call_s`.
double expected_time_s(const TimingOptions& options, double call_s);

/// Times `calls`, each of which returns when its work is done. All are warmed up first, since the
/// first calls of a shape are slower; then they take turns, A B A B, so that whatever else the
/// machine does meets all alike. A fast one is called several times a turn. `now_s` is the clock;
/// `on_round` is told rounds done and in all. Throws Error for no calls.
std::vector<TimedCalls> time_interleaved(
    std::span<const std::function<void()>> calls, const TimingOptions& options,
    const std::function<double()>& now_s,
    const std::function<void(std::int64_t, std::int64_t)>& on_round = {});

}  // namespace diffuse
