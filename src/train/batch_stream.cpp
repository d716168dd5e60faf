#include "batch_stream.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "diffuse/base/error.hpp"

namespace diffuse {

SamplerOptions sampler_options(const TrainConfig& config) {
  return {.batch_size = config.batch_size,
          .sort_window = config.sort_window,
          .seed = config.seed,
          .batch_tokens = config.batch_tokens};
}

std::int64_t batches_in_pass(const DatasetView& view, const SamplerOptions& options) {
  if (options.batch_tokens > 0) return 0;
  return (static_cast<std::int64_t>(view.size()) + options.batch_size - 1) / options.batch_size;
}

std::int64_t batches_of_epoch_rows(const DatasetView& view, const SamplerOptions& options,
                                   std::int64_t epoch_rows) {
  const auto rows = static_cast<std::int64_t>(view.size());
  if (epoch_rows == 0 || epoch_rows >= rows) return 0;
  if (options.batch_tokens == 0) return (epoch_rows + options.batch_size - 1) / options.batch_size;
  const auto all = static_cast<double>(epoch_batches(view, options, 0).size());
  const double share = static_cast<double>(epoch_rows) / static_cast<double>(rows);
  return std::max<std::int64_t>(std::llround(all * share), 1);
}

BatchStream::BatchStream(const DatasetView& view, const TrainConfig& config,
                         std::int64_t epoch_rows)
    : view_(view),
      options_(sampler_options(config)),
      accumulate_(config.accumulate),
      overfit_(config.overfit_batch),
      epoch_batches_(batches_of_epoch_rows(view, options_, epoch_rows)) {}

void BatchStream::load_pass(std::int64_t pass) {
  if (loaded_pass_ == pass) return;
  batches_ = epoch_batches(view_, options_, pass);
  loaded_pass_ = pass;
}

std::int64_t BatchStream::batches_in_epoch() {
  if (epoch_batches_ > 0) return epoch_batches_;
  load_pass(epoch_);
  return std::ssize(batches_);
}

/// Batch `number` of the present epoch.
const BatchStream::Rows& BatchStream::batch(std::int64_t number) {
  if (epoch_batches_ == 0) {
    load_pass(epoch_);
    return batches_[static_cast<std::size_t>(number)];
  }
  const std::int64_t place = epoch_ * epoch_batches_ + number;  // among those of all passes
  const std::int64_t each = batches_in_pass(view_, options_);
  if (each > 0) {
    load_pass(place / each);
    return batches_[static_cast<std::size_t>(place % each)];
  }
  // With a token budget passes differ in their batches: how many each has is found one by one.
  auto pass = static_cast<std::int64_t>(std::ranges::upper_bound(pass_begins_, place) -
                                        pass_begins_.begin() - 1);
  for (;; ++pass) {
    const std::int64_t begin = pass_begins_[static_cast<std::size_t>(pass)];
    load_pass(pass);
    if (std::ssize(pass_begins_) == pass + 1) pass_begins_.push_back(begin + std::ssize(batches_));
    if (place < pass_begins_[static_cast<std::size_t>(pass) + 1])
      return batches_[static_cast<std::size_t>(place - begin)];
  }
}

void BatchStream::seek(std::int64_t epoch, std::int64_t position) {
  epoch_ = epoch;
  position_ = position;
  const std::int64_t batches = batches_in_epoch();
  if (position >= batches && position != 0) {
    throw CheckpointError(
        fmt::format("The checkpoint stands at batch {} of an epoch of {} batches: it belongs to "
                    "other data or another configuration.",
                    position, batches));
  }
}

const std::vector<BatchStream::Rows>& BatchStream::next() {
  const std::int64_t batches = batches_in_epoch();
  const std::int64_t end = std::min(position_ + accumulate_, batches);
  if (overfit_) {
    if (current_.empty()) current_ = {epoch_batches(view_, options_, 0).front()};
  } else {
    current_.resize(static_cast<std::size_t>(end - position_));  // their memory is used again
    for (std::int64_t number = position_; number < end; ++number)
      current_[static_cast<std::size_t>(number - position_)] = batch(number);
  }
  position_ = end;
  if (end == batches) {
    position_ = 0;
    ++epoch_;
  }
  return current_;
}

double BatchStream::epochs_done() {
  if (position_ == 0) return static_cast<double>(epoch_);
  return static_cast<double>(epoch_) +
         static_cast<double>(position_) / static_cast<double>(batches_in_epoch());
}

}  // namespace diffuse
