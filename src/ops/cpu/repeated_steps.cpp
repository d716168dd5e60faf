#include "repeated_steps.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace diffuse::cpu {

RepeatedSteps::RepeatedSteps(const DiffusionPlan& plan, ThreadMemory& memory,
                             std::function<void()> start)
    : plan_(plan), memory_(memory), start_(std::move(start)) {}

void RepeatedSteps::forward() {
  memory_.saved_steps.clear();
  const std::size_t at = save_towards(0, plan_.steps.size());
  run(at, plan_.steps.size());
}

void RepeatedSteps::back(float* slot) {
  for (std::size_t end = plan_.steps.size(); end > 0; --end) {
    while (!memory_.saved_steps.empty() && memory_.saved_steps.back() >= end)
      memory_.saved_steps.pop_back();
    restore();
    const std::size_t from = memory_.saved_steps.empty() ? 0 : memory_.saved_steps.back();
    run(save_towards(from, end), end - 1);
    plan_.kernels.step_back(plan_, memory_.chunk(), memory_.workspace, end - 1, slot);
  }
}

std::size_t RepeatedSteps::save_towards(std::size_t at, std::size_t end) {
  while (memory_.saved_steps.size() < memory_.saved.size() && end - at > 1) {
    // As many parts as there are states to save, and one before them.
    const std::size_t parts = memory_.saved.size() - memory_.saved_steps.size() + 1;
    const std::size_t to = at + (end - at + parts - 1) / parts;
    if (to >= end) break;
    run(at, to);
    std::memcpy(memory_.saved[memory_.saved_steps.size()], memory_.workspace.state,
                state_floats() * sizeof(float));
    memory_.saved_steps.push_back(to);
    at = to;
  }
  return at;
}

void RepeatedSteps::run(std::size_t begin, std::size_t end) {
  if (begin < end) plan_.kernels.run_steps(plan_, memory_.chunk(), memory_.workspace, {begin, end});
}

/// The last state that was saved.
void RepeatedSteps::restore() {
  if (memory_.saved_steps.empty()) return start_();
  std::memcpy(memory_.workspace.state, memory_.saved[memory_.saved_steps.size() - 1],
              state_floats() * sizeof(float));
}

std::size_t RepeatedSteps::state_floats() const {
  return static_cast<std::size_t>(memory_.bounds.back() * plan_.widths.state);
}

}  // namespace diffuse::cpu
