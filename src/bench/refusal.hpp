#pragma once

#include <string>

#include "task.hpp"

namespace diffuse {

/// Why the case cannot be run by this contender, whatever time there is: it lacks the positions, or
/// needs more memory than is free. Empty where it can.
std::string refusal_for_size(const Task& task, const BenchCase& which, Precision precision);

/// Whether a case whose call takes `call_s` is within the plan's budget.
bool is_affordable(const BenchPlan& plan, double call_s);

/// Why a case whose call was tried should not be run: it would take longer than the plan's budget.
/// Empty where it should, and where what it takes is not known.
std::string refusal_for_time(const TriedPrecision& tried, const BenchPlan& plan);

}  // namespace diffuse
