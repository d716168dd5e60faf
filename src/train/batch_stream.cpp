#include "batch_stream.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "diffuse/base/error.hpp"

namespace diffuse {

SamplerOptions sampler_options(const TrainConfig& config) {
  return {.batch_size = config.batch_size,
          .sort_window = config.sort_window,
          .seed = config.seed,
          .batch_tokens = config.batch_tokens};
}

BatchStream::BatchStream(const DatasetView& view, const TrainConfig& config)
    : view_(view),
      options_(sampler_options(config)),
      accumulate_(static_cast<std::size_t>(config.accumulate)),
      overfit_(config.overfit_batch) {}

void BatchStream::load_epoch() {
  if (loaded_epoch_ == epoch_) return;
  batches_ = epoch_batches(view_, options_, epoch_);
  loaded_epoch_ = epoch_;
}

void BatchStream::seek(std::int64_t epoch, std::int64_t position) {
  epoch_ = epoch;
  position_ = position;
  load_epoch();
  if (position >= static_cast<std::int64_t>(batches_.size()) && position != 0) {
    throw CheckpointError(
        fmt::format("The checkpoint stands at batch {} of an epoch of {} batches: it belongs to "
                    "other data or another configuration.",
                    position, batches_.size()));
  }
}

const std::vector<BatchStream::Rows>& BatchStream::next() {
  load_epoch();
  const auto begin = static_cast<std::size_t>(position_);
  const std::size_t end = std::min(begin + accumulate_, batches_.size());
  if (overfit_) {
    if (current_.empty()) current_ = {epoch_batches(view_, options_, 0).front()};
  } else {
    current_.assign(batches_.begin() + static_cast<std::ptrdiff_t>(begin),
                    batches_.begin() + static_cast<std::ptrdiff_t>(end));
  }
  position_ = static_cast<std::int64_t>(end);
  if (end == batches_.size()) {
    position_ = 0;
    ++epoch_;
  }
  return current_;
}

double BatchStream::epochs_done() {
  if (position_ == 0) return static_cast<double>(epoch_);
  load_epoch();
  return static_cast<double>(epoch_) +
         static_cast<double>(position_) / static_cast<double>(batches_.size());
}

}  // namespace diffuse
