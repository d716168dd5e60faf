#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "kernels.hpp"
#include "thread_memory.hpp"

namespace diffuse::cpu {

/// Steps forward and back of a chunk too large to keep all that the way back needs: few states are
/// saved, and between two of them the steps are run again, with those states saved that there is
/// room for by then (binomial checkpointing: A. Griewank and A. Walther, "Revolve", ACM TOMS 26,
/// 2000). 16 steps with two saved states take 40 steps forward.
class RepeatedSteps {
 public:
  /// `memory`: laid out for Keep::some_states. `start` makes the initial state again.
  RepeatedSteps(const DiffusionPlan& plan, ThreadMemory& memory, std::function<void()> start);

  /// From the initial state, in the workspace, to the last one.
  void forward();
  /// From the gradient of the last state to that of the initial one, after forward().
  void back(float* slot);

 private:
  /// The state `workspace.state` is `at`; goes on towards `end`, saving states while there is room.
  std::size_t save_towards(std::size_t at, std::size_t end);
  void run(std::size_t begin, std::size_t end);
  void restore();
  std::size_t state_floats() const;

  const DiffusionPlan& plan_;
  ThreadMemory& memory_;
  std::function<void()> start_;
};

}  // namespace diffuse::cpu
