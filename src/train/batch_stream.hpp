#pragma once

#include <cstdint>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/data/sampler.hpp"

namespace diffuse {

/// How `config` cuts an epoch into batches.
SamplerOptions sampler_options(const TrainConfig& config);
/// Batches of a pass through all rows; 0 where a token budget makes their number vary.
std::int64_t batches_in_pass(const DatasetView& view, const SamplerOptions& options);
/// Batches of an epoch of `epoch_rows` rows, with a token budget as many as hold them in the mean;
/// 0: an epoch is a pass.
std::int64_t batches_of_epoch_rows(const DatasetView& view, const SamplerOptions& options,
                                   std::int64_t epoch_rows);

/// Which rows each update sees, epoch after epoch, and how far it has come.
class BatchStream {
 public:
  using Rows = std::vector<std::uint32_t>;

  /// `view` must outlive the stream and hold at least one row. `epoch_rows`: see data.epoch_rows.
  BatchStream(const DatasetView& view, const TrainConfig& config, std::int64_t epoch_rows = 0);

  /// Goes on behind the first `position` batches of epoch `epoch`. Throws CheckpointError if that
  /// epoch has fewer.
  void seek(std::int64_t epoch, std::int64_t position);

  /// The batches of the next update: `train.accumulate` of them, fewer at an epoch's end, or always
  /// the first batch with `train.overfit_batch`. Valid until the next call.
  const std::vector<Rows>& next();

  std::int64_t epoch() const { return epoch_; }
  std::int64_t position() const { return position_; }
  /// With a fraction.
  double epochs_done();
  /// Of an epoch; of the present one, where a token budget makes their number vary.
  std::int64_t batches_in_epoch();

 private:
  void load_pass(std::int64_t pass);
  const Rows& batch(std::int64_t number);

  const DatasetView& view_;
  SamplerOptions options_;
  std::int64_t accumulate_;
  bool overfit_;
  std::int64_t epoch_ = 0;
  std::int64_t position_ = 0;
  // A pass is once through all rows. Without data.epoch_rows it is an epoch, else epochs are cut
  // from the passes as they follow each other.
  std::int64_t epoch_batches_ = 0;               // of each epoch; 0: those of a pass
  std::vector<std::int64_t> pass_begins_ = {0};  // batches before each pass, as far as known
  std::int64_t loaded_pass_ = -1;
  std::vector<Rows> batches_;  // of loaded_pass_
  std::vector<Rows> current_;
};

}  // namespace diffuse
