#include "diffuse/bench/timing.hpp"

#include <algorithm>
#include <cmath>

#include "diffuse/base/error.hpp"

namespace diffuse {
namespace {

/// Calls until there are enough of them or they took long enough. The last one's time.
double warm_up(const std::function<void()>& call, const TimingOptions& options,
               const std::function<double()>& now_s, TimedCalls& timed) {
  const double start = now_s();
  double last = 0;
  while (timed.warm_up_calls < std::max<std::int64_t>(options.warm_up_calls, 1)) {
    const double before = now_s();
    call();
    ++timed.warm_up_calls;
    last = now_s() - before;
    if (now_s() - start >= options.warm_up_s) break;
  }
  return last;
}

}  // namespace

std::int64_t round_count(const TimingOptions& options, double call_s) {
  const double wanted =
      call_s > 0 ? std::ceil(options.measure_s / call_s) : static_cast<double>(options.most_rounds);
  return std::clamp(static_cast<std::int64_t>(std::min(wanted, 1e9)), options.least_rounds,
                    options.most_rounds);
}

double expected_time_s(const TimingOptions& options, double call_s) {
  const double warm_up_calls =
      call_s > 0 ? std::clamp(std::ceil(options.warm_up_s / call_s), 1.0,
                              static_cast<double>(std::max<std::int64_t>(options.warm_up_calls, 1)))
                 : 0;
  return call_s * (warm_up_calls + static_cast<double>(round_count(options, call_s)));
}

std::vector<TimedCalls> time_interleaved(
    std::span<const std::function<void()>> calls, const TimingOptions& options,
    const std::function<double()>& now_s,
    const std::function<void(std::int64_t, std::int64_t)>& on_round) {
  if (calls.empty()) throw Error("There is nothing to time.");
  std::vector<TimedCalls> timed(calls.size());
  std::vector<double> call_s;
  for (std::size_t i = 0; i < calls.size(); ++i)
    call_s.push_back(warm_up(calls[i], options, now_s, timed[i]));
  const double slowest = *std::max_element(call_s.begin(), call_s.end());
  const std::int64_t rounds = round_count(options, slowest);
  for (std::int64_t round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < calls.size(); ++i) {
      const double turns = call_s[i] > 0 ? std::floor(slowest / call_s[i]) : 1;
      const auto most = static_cast<double>(options.most_calls_a_round);
      for (double turn = 0; turn < std::clamp(turns, 1.0, most); ++turn) {
        const double before = now_s();
        calls[i]();
        timed[i].samples_s.push_back(now_s() - before);
      }
    }
    if (on_round) on_round(round + 1, rounds);
  }
  return timed;
}

}  // namespace diffuse
