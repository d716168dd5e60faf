#pragma once

#include <stdexcept>
#include <string>

#include "diffuse/eval/evaluator.hpp"

namespace diffuse::cli {

/// Thrown to leave work that a caught SIGINT or SIGTERM interrupts.
struct Stopped : std::runtime_error {
  explicit Stopped(int number)
      : std::runtime_error("stopped by signal " + std::to_string(number)), signal(number) {}
  int signal;
};

/// `evaluate` with a progress line on a terminal. `what` names the rows in it. Throws Stopped when
/// a caught signal arrives.
Evaluation evaluate_with_progress(Classifier& classifier, const DatasetView& view,
                                  EvaluationOptions options, const std::string& what);

}  // namespace diffuse::cli
