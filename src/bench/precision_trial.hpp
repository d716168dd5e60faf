#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "task.hpp"

namespace diffuse {

/// Finds the precision that a contender is measured in, and its pace, from small trials, which warm
/// it up too.
class PrecisionTrial {
 public:
  /// `asked_for`: the plan's precisions. Notes paces in `pace`; `on_trial` is told what begins.
  PrecisionTrial(const std::vector<Precision>& asked_for, Pace& pace,
                 std::function<void(const std::string&)> on_trial)
      : asked_for_(asked_for), pace_(pace), on_trial_(std::move(on_trial)) {}

  /// The precisions of one side: what was asked for, or the one that a small case is faster in. The
  /// pace of each is known afterwards.
  std::vector<Precision> precisions_of(const Task& task, const BenchCase& which);

 private:
  /// Learns the pace of a precision from a few calls on `texts` texts (one, where the case is of
  /// one alone) of `tokens` tokens; of a slow one from a single call.
  void try_out(const Task& like, const BenchCase& which, Precision precision, std::int64_t texts,
               std::int64_t tokens);
  void learn_pace(const Task& task, const BenchCase& which, Precision precision);
  Precision faster_precision(const Task& task, const BenchCase& which,
                             const std::vector<Precision>& candidates);

  const std::vector<Precision>& asked_for_;
  Pace& pace_;
  std::function<void(const std::string&)> on_trial_;
  std::set<Pace::Key> tried_;              // by more than the smallest batch
  std::map<Pace::Key, Precision> faster_;  // by a key without a precision
};

}  // namespace diffuse
