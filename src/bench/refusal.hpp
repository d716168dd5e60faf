#pragma once

#include <string>

#include "task.hpp"

namespace diffuse {

/// Why the case should not be run by this contender: it lacks the positions, it would take longer
/// than the plan's budget or more memory than is free. Empty where it can. The pace of `task` in
/// `precision` must be known.
std::string refusal(const Task& task, const BenchCase& which, Precision precision,
                    const BenchPlan& plan, const Pace& pace);

}  // namespace diffuse
