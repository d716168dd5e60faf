#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "diffuse/data/loading.hpp"
#include "diffuse/model/checkpoint.hpp"
#include "diffuse/model/classifier.hpp"
#include "diffuse/train/confidence.hpp"
#include "diffuse/train/schedule.hpp"
#include "diffuse/train/training_state.hpp"

namespace diffuse {

/// What a training checkpoint holds, besides the state.
struct CheckpointContent {
  const Config& config;
  const TrainingData& data;  ///< its tokenizer and labels are stored
  const Classifier& classifier;
  std::vector<at::Tensor> model_tensors;  ///< for `model.safetensors`, in order of `parameters()`
  std::vector<RowSource> rows;            ///< of the undefined ones among them
  /// For `optimizer.safetensors`: moments, raw weights beside averaged ones, generator state.
  std::vector<std::pair<std::string, at::Tensor>> training_tensors;
  LearningRateSchedule schedule;
  std::optional<NgramsContent> ngrams{};  ///< of a model of two branches
  Confidence confidence{};                ///< of the last evaluation
};

/// Updates of the checkpoints in the folder `root` of a run, ascending; none where it cannot be
/// read.
std::vector<std::int64_t> checkpoint_updates(const std::filesystem::path& root);
/// The folder of update `update`'s checkpoint in `root`.
std::filesystem::path checkpoint_folder(const std::filesystem::path& root, std::int64_t update);

/// Writes the folders `<run_dir>/checkpoints/<update, 6 digits>/` and keeps `last` and `best`
/// (`point_to_folder`) on them; a failure to is a warning.
class Checkpointer {
 public:
  /// Keeps the newest `keep` checkpoints and the best one; at least one. Those that are there
  /// already, of a run that is gone on with, count too.
  Checkpointer(const std::filesystem::path& run_dir, std::int64_t keep);

  /// Points `last` and `best` to the checkpoints that `state`, read from one of them, names: a
  /// crash may have come between a checkpoint and its links.
  void adopt(const TrainingState& state) const;

  /// Writes a checkpoint, all of it or none, points `last` to it, and `best` too where
  /// `state.best_update` is its update or there are no validation rows; then removes what need not
  /// be kept. Returns its folder. Throws SystemError, or what LibTorch throws, if it cannot be
  /// written; the ones before stay.
  std::filesystem::path save(const TrainingState& state, const CheckpointContent& content);

  /// The run's folder, in which the checkpoints stand.
  std::filesystem::path run_directory() const { return root_.parent_path(); }
  /// The folder of update `update`'s checkpoint.
  std::filesystem::path folder(std::int64_t update) const {
    return checkpoint_folder(root_, update);
  }

  /// Updates whose checkpoints are kept, oldest first.
  const std::vector<std::int64_t>& kept() const { return kept_; }

 private:
  void point(const std::string& link, std::int64_t update) const;
  void prune(const TrainingState& state);

  std::filesystem::path root_;
  std::size_t keep_;
  std::vector<std::int64_t> kept_;
};

}  // namespace diffuse
