#pragma once

#include <cstdint>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/data/sampler.hpp"

namespace diffuse {

/// How `config` cuts an epoch into batches.
SamplerOptions sampler_options(const TrainConfig& config);

/// Which rows each update sees, epoch after epoch, and how far it has come.
class BatchStream {
 public:
  using Rows = std::vector<std::uint32_t>;

  /// `view` must outlive the stream and hold at least one row.
  BatchStream(const DatasetView& view, const TrainConfig& config);

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

 private:
  void load_epoch();

  const DatasetView& view_;
  SamplerOptions options_;
  std::size_t accumulate_;
  bool overfit_;
  std::int64_t epoch_ = 0;
  std::int64_t position_ = 0;
  std::int64_t loaded_epoch_ = -1;
  std::vector<Rows> batches_;  // of loaded_epoch_
  std::vector<Rows> current_;
};

}  // namespace diffuse
