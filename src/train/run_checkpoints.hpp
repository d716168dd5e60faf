#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "diffuse/train/checkpointer.hpp"
#include "diffuse/train/plan.hpp"

namespace diffuse {

/// A run's checkpoints as it goes on: when one is due, which is the last, and what became of one
/// that could not be written.
class RunCheckpoints {
 public:
  /// Keeps `keep` of them (see Checkpointer).
  RunCheckpoints(const std::filesystem::path& run_dir, std::int64_t keep, const TrainingPlan& plan)
      : checkpointer_(run_dir, keep), plan_(plan) {}

  /// Goes on behind the one that `state` was read from.
  void resume(const TrainingState& state);
  /// Whether the plan wants one at `update`, `elapsed_s` into the run.
  bool due(std::int64_t update, double elapsed_s) const;
  /// Writes one. A failure is a warning: the next one may be written.
  void save(const TrainingState& state, const std::function<CheckpointContent()>& content);

  /// Update of the last one; nothing where there is none.
  std::optional<std::int64_t> last() const { return last_; }
  /// Whether the last attempt failed.
  bool failed() const { return !problem_.empty(); }
  /// What to say of a run whose last attempt, at its end, failed.
  std::string failure_text(std::int64_t update) const;
  std::filesystem::path folder(std::int64_t update) const { return checkpointer_.folder(update); }

 private:
  Checkpointer checkpointer_;
  const TrainingPlan& plan_;
  std::optional<std::int64_t> last_;
  double tried_at_s_ = 0;
  std::string problem_;  // why the last one was not written; empty: it was
};

}  // namespace diffuse
