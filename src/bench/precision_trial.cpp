#include "precision_trial.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "diffuse/config/load.hpp"
#include "diffuse/device/precision.hpp"

namespace diffuse {
namespace {

// A batch large enough to tell how fast a precision is.
constexpr std::int64_t kTrialTexts = 16;
constexpr std::int64_t kTrialTokens = 64;

}  // namespace

void PrecisionTrial::try_out(const Task& like, const BenchCase& which, Precision precision,
                             std::int64_t texts, std::int64_t tokens) {
  constexpr double kSlow_s = 1;
  constexpr double kLong_s = 0.1;  // in all: a short call's best needs more of them
  texts = std::min(texts, which.batch_size);
  // No longer than what is to be measured, which may be all that the model takes.
  if (which.seq_len > 0) tokens = std::min(tokens, which.seq_len);
  if (like.spec->config.model.type == ModelType::distilbert)
    tokens = std::min(tokens, like.spec->config.distilbert.max_positions);
  constexpr int kCalls = 4;
  constexpr int kMostCalls = 100;
  Task task = make_task(like.side, *like.spec, *like.contender,
                        synthetic_workload(like.spec->shape, texts, tokens, 1));
  on_trial_(fmt::format("trying {} in {}", like.spec->name, enum_name(precision)));
  task.contender->prepare(which.mode, precision);
  double best_s = 0;
  const double start = steady_now_s();
  for (int call = 0; call < kCalls || (call < kMostCalls && steady_now_s() - start < kLong_s);
       ++call) {
    const double before = steady_now_s();
    task.call();
    const double call_s = steady_now_s() - before;
    best_s = call == 0 ? call_s : std::min(best_s, call_s);
    if (call_s > kSlow_s) break;
  }
  pace_.note(pace_key(like, which, precision), work_units(task, which.mode), best_s);
}

std::vector<Precision> PrecisionTrial::precisions_of(const Task& task, const BenchCase& which) {
  const at::Device device = task.contender->device();
  std::vector<Precision> candidates;
  for (const Precision wanted : asked_for_) candidates.push_back(resolve_precision(wanted, device));
  if (candidates.empty())
    candidates = {Precision::fp32, device.is_cuda()
                                       ? resolve_precision(Precision::automatic, device)
                                       : Precision::bf16};
  if (!asked_for_.empty()) {
    for (const Precision precision : candidates) learn_pace(task, which, precision);
    return candidates;
  }
  // Once for all lengths: a pace learned from another case would be no fair comparison.
  const auto known = faster_.find(pace_key(task, which, Precision::automatic));
  if (known != faster_.end()) return {known->second};
  const Precision chosen = faster_precision(task, which, candidates);
  learn_pace(task, which, chosen);
  faster_[pace_key(task, which, Precision::automatic)] = chosen;
  return {chosen};
}

void PrecisionTrial::learn_pace(const Task& task, const BenchCase& which, Precision precision) {
  if (tried_.insert(pace_key(task, which, precision)).second)
    try_out(task, which, precision, kTrialTexts, kTrialTokens);
}

Precision PrecisionTrial::faster_precision(const Task& task, const BenchCase& which,
                                           const std::vector<Precision>& candidates) {
  // Of a fast model so small a batch times the calls' overhead more than the work.
  constexpr double kFast_s = 0.5;
  const double units = work_units(task, which.mode);
  for (const Precision candidate : candidates) {
    try_out(task, which, candidate, 2, 32);
    if (pace_.expected_s(pace_key(task, which, candidate), units) < kFast_s)
      learn_pace(task, which, candidate);
  }
  return *std::min_element(candidates.begin(), candidates.end(), [&](Precision a, Precision b) {
    return pace_.expected_s(pace_key(task, which, a), 1) <
           pace_.expected_s(pace_key(task, which, b), 1);
  });
}

}  // namespace diffuse
