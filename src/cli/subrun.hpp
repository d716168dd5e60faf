#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "diffuse/config/config.hpp"
#include "prepared_run.hpp"
#include "train_run.hpp"

namespace diffuse::cli {

/// A run in a folder of a greater one: a fold of a cross-validation, say.
struct Subrun {
  std::string name;               ///< in the log: "Fold 2 of 5"
  const TrainOptions& options;    ///< of the whole, for the manifest
  const std::string& start_time;  ///< of the whole
  const RowParts* parts = nullptr;
  const std::vector<bool>* validation = nullptr;
  bool no_test = false;  ///< all three as in Preparation
  bool brief = false;    ///< the start-up table goes to train.log alone
  /// What a fresh run was prepared to be, which it takes; null: it is prepared by the above.
  PreparedRun* ready = nullptr;
  /// Called before anything is written of the run: with what it is made of. May be empty.
  std::function<void(const PreparedRun& run, const RunFacts& facts)> prepared{};
};

/// Trains `config` in the folder `dir`, or goes on from the checkpoint there, and evaluates the
/// best checkpoint, that of a run which was finished before, too. What a run has left there that
/// was stopped before its first checkpoint is removed. Nothing where a signal ended it. Throws as
/// `prepare_run` and `train_run` do.
std::optional<RunOutcome> train_in(const std::filesystem::path& dir, const Config& config,
                                   const Subrun& how);

/// Removes the checkpoints of such a run, if they can be: for when its results are written.
void remove_checkpoints(const std::filesystem::path& dir);

}  // namespace diffuse::cli
