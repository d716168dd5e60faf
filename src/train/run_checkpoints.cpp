#include "run_checkpoints.hpp"

#include <fmt/core.h>

#include <exception>
#include <new>

#include "diffuse/base/log.hpp"

namespace diffuse {

void RunCheckpoints::resume(const TrainingState& state) {
  checkpointer_.adopt(state);
  last_ = state.update;
  tried_at_s_ = state.elapsed_s;
}

bool RunCheckpoints::due(std::int64_t update, double elapsed_s) const {
  if (plan_.checkpoint_every > 0) return update % plan_.checkpoint_every == 0;
  return plan_.checkpoint_every_s > 0 && elapsed_s - tried_at_s_ >= plan_.checkpoint_every_s;
}

void RunCheckpoints::save(const TrainingState& state,
                          const std::function<CheckpointContent()>& content) {
  tried_at_s_ = state.elapsed_s;
  try {
    checkpointer_.save(state, content());
    last_ = state.update;
    problem_.clear();
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    problem_ = error.what();
    log::warning(
        "The checkpoint of update {} was not written: {} The training goes on, {}; the next one is "
        "tried in its turn.",
        state.update, problem_,
        last_ ? fmt::format("the one of update {} stays", *last_) : "without one so far");
  }
}

std::string RunCheckpoints::failure_text(std::int64_t update) const {
  const std::string kept =
      last_ ? fmt::format("The last one is {}. Go on from it with: diffuse train --resume {}",
                          folder(*last_).string(), checkpointer_.run_directory().string())
            : "There is none.";
  return fmt::format("The checkpoint at the end, of update {}, was not written: {}\n{}", update,
                     problem_, kept);
}

}  // namespace diffuse
