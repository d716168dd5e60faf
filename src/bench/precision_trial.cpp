#include "precision_trial.hpp"

#include <c10/util/Exception.h>

#include <algorithm>
#include <limits>

#include "diffuse/base/error.hpp"
#include "diffuse/base/statistics.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/device/precision.hpp"

namespace diffuse {
namespace {

/// A size with `share` of the case's work: fewer of its texts, or one text with fewer tokens.
TrialSize part_of(const TrialSize& own, double share) {
  if (share >= 1) return own;
  const double texts = share * static_cast<double>(own.texts);
  if (texts >= 1) return {static_cast<std::int64_t>(texts), own.tokens};
  return {1, std::max<std::int64_t>(
                 1, static_cast<std::int64_t>(texts * static_cast<double>(own.tokens)))};
}

}  // namespace

TriedPrecision PrecisionTrial::time(TrialSubject& subject, Precision precision,
                                    const std::function<bool(double)>& good_enough) const {
  constexpr double kLeastGrowth = 1.5;
  TriedPrecision result;
  result.precision = precision;
  const TrialSize own = subject.own_size();
  const double own_work = subject.work(own);
  TrialSize size = {std::min(options_.first.texts, own.texts),
                    std::min(options_.first.tokens, own.tokens)};
  try {
    subject.prepare(precision);
    while (true) {
      subject.load(size);
      subject.call();
      const double call_s = median_call_s(subject, size == own ? options_.least_s : 0);
      const double work = subject.work(size);
      result.texts = size.texts;
      result.tokens = size.tokens;
      result.estimated = size != own;
      result.call_s = call_s * own_work / work;
      if (!result.estimated || (good_enough && good_enough(*result.call_s))) break;
      size = part_of(own, call_s > 0 ? options_.longest_call_s / call_s * work / own_work : 1);
      if (subject.work(size) < kLeastGrowth * work) break;
    }
  } catch (const c10::Error& error) {
    if (!is_out_of_memory(error)) throw;
  } catch (const Error&) {  // a TorchScript module that cannot take the length
  }
  return result;
}

double PrecisionTrial::median_call_s(TrialSubject& subject, double least_s) const {
  std::vector<double> samples_s;
  const double start = now_s_();
  double before = start;
  while (static_cast<std::int64_t>(samples_s.size()) < options_.most_calls) {
    subject.call();
    const double after = now_s_();
    samples_s.push_back(after - before);
    before = after;
    const bool enough = static_cast<std::int64_t>(samples_s.size()) >= options_.least_calls &&
                        after - start >= least_s;
    if (enough || after - start >= options_.enough_s) break;
  }
  return median(samples_s);
}

std::vector<Precision> device_precisions(at::Device device) {
  if (device.is_cpu()) return {Precision::fp32, Precision::bf16};
  if (computes_bf16(device))
    return {Precision::fp32, Precision::tf32, Precision::bf16, Precision::fp16};
  return {Precision::fp32, Precision::fp16};  // before compute capability 8.0
}

std::size_t fastest_precision(std::span<const TriedPrecision> tried) {
  if (tried.empty()) throw Error("There is no precision to choose from.");
  const auto best = std::min_element(tried.begin(), tried.end(), [](const auto& a, const auto& b) {
    constexpr double kNever = std::numeric_limits<double>::infinity();
    return a.call_s.value_or(kNever) < b.call_s.value_or(kNever);
  });
  return static_cast<std::size_t>(best - tried.begin());
}

}  // namespace diffuse
