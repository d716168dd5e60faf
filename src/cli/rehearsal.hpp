#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "diffuse/eval/evaluator.hpp"
#include "diffuse/train/trainer.hpp"
#include "prepared_run.hpp"

namespace diffuse::cli {

/// The folder of a run that its rehearsal is in.
inline constexpr const char* kRehearsalFolder = "rehearsal";
/// That of its training without the fold `fold`.
std::filesystem::path rehearsal_directory(const std::filesystem::path& run_dir, std::int64_t fold);

/// Whether a training of `run` is rehearsed: no validation rows tell what its network, which has
/// learned the training rows by heart, counts beside its n-grams, and nobody has said it
/// (`ngrams.factor`). Not of a length in minutes, which it would double, nor of several labels. A
/// model without a network needs no training for it: its n-grams have answered rows unseen.
bool is_rehearsed(const PreparedRun& run);

struct Rehearsed {
  Evaluation evaluation;
  std::int64_t updates = 0;  ///< made now, of all its trainings
};

/// What a rehearsal's trainings begin with.
struct RehearsedNetwork {
  std::function<std::unique_ptr<Classifier>()> make;  ///< a new one each time
  bool fresh = false;  ///< none of the weights that the run itself begins with
};

/// Trains a `network` on four fifths of the training rows as the run
/// will train one on all of them, and asks it for the others; of few rows more than once, each time
/// for another fifth. By these answers, and those of n-grams that have not seen the rows either,
/// `ngrams` gets the factors of both branches and how sure their sum is. Returns what that is right
/// on. Each training has a folder of its own in the run's; a rehearsal that was stopped goes on
/// there. Where a signal ends one, it is `stopped` and Stopped is thrown. Throws as `train` does.
Rehearsed rehearse(PreparedRun& run, const std::filesystem::path& run_dir, RunNgrams& ngrams,
                   const RehearsedNetwork& network, TrainingResult& stopped);

/// What is told of it, with a line break: `rehearsal accuracy …`.
std::string rehearsal_text(const Evaluation& rehearsal);

}  // namespace diffuse::cli
