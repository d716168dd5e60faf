#pragma once

#include <functional>
#include <string>
#include <vector>

#include "precision_trial.hpp"
#include "task.hpp"

namespace diffuse {

/// The precisions that one side of a case is measured in, and what a call takes in each.
struct ChosenPrecisions {
  std::vector<TriedPrecision> tried;  ///< all that were tried
  std::vector<TriedPrecision> chosen;
};

/// Tries what `plan` asks for, or what the device computes in and takes the fastest, at the size of
/// the case. `on_trial` is told what begins.
ChosenPrecisions choose_precisions(Task& task, const BenchCase& which, const BenchPlan& plan,
                                   const std::function<void(const std::string&)>& on_trial);

/// What the plan asks for, resolved for the task's device; where it leaves that open, all that the
/// device, and a fused kernel that the task insists on, compute in.
std::vector<Precision> candidate_precisions(const Task& task, const BenchPlan& plan);

}  // namespace diffuse
