#pragma once

#include <c10/core/Device.h>
#include <c10/util/Exception.h>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "diffuse/base/log.hpp"
#include "diffuse/data/packed_rows.hpp"
#include "diffuse/device/recording.hpp"
#include "diffuse/model/staged_batch.hpp"

namespace diffuse {

/// How a recording is made: `record` of diffuse/device/recording.hpp, or what a test has in its
/// place; null: not at all.
using Record = std::function<std::unique_ptr<Recording>(at::Device, std::function<void()>)>;

/// Work on batches that a device is told of in two calls: one copy of the batch, and one launch of
/// all that is computed of it. For each shape of a batch (StagedBatch) the first one runs kernel by
/// kernel, which makes ready what kernels need; the second is recorded. Where that cannot be, a
/// warning says so once, and all go on kernel by kernel. `Results`: tensors that the work leaves.
template <class Results>
class RecordedBatches {
 public:
  /// What is computed of the batch that `staged` holds; `batch` is that one. Must not wait for the
  /// device.
  using Work = std::function<Results(const StagedBatch& staged, const Batch& batch)>;

  RecordedBatches(at::Device device, Work work, Record record)
      : device_(device), work_(std::move(work)), record_(std::move(record)) {}

  /// The results, which stay where they are and are overwritten by the next batch of the shape.
  Results run(const std::shared_ptr<const PackedRows>& rows, const StagedNumbers& numbers) {
    has_recorded_ = false;
    const StagedBatch::Shape shape = StagedBatch::shape_of(*rows);
    if (!entries_.contains(shape) && entries_.size() >= kMostShapes) entries_.clear();
    std::unique_ptr<Entry>& entry = entries_[shape];
    if (entry == nullptr) entry = std::make_unique<Entry>(shape, device_);
    run_apart(device_, [&] {
      entry->staged.load(*rows, numbers);
      const Batch batch = entry->staged.batch(rows);
      if (entry->ran && record_ && entry->recording == nullptr) record_entry(*entry, batch);
      if (entry->recording != nullptr)
        entry->recording->replay();
      else
        entry->results = work_(entry->staged, batch);
      entry->ran = true;
    });
    return entry->results;
  }

  /// Whether the last run has recorded what it then replayed.
  bool has_recorded() const { return has_recorded_; }

  /// Records no more, and forgets what was recorded.
  void stop_recording() {
    record_ = nullptr;
    entries_.clear();
  }

  std::size_t recordings() const {  ///< so far
    std::size_t count = 0;
    for (const auto& [shape, entry] : entries_) count += entry->recording != nullptr ? 1 : 0;
    return count;
  }

 private:
  /// Shapes with memory of their own.
  static constexpr std::size_t kMostShapes = 64;

  struct Entry {
    explicit Entry(const StagedBatch::Shape& shape, at::Device device) : staged(shape, device) {}
    StagedBatch staged;
    Results results{};
    bool ran = false;
    std::unique_ptr<Recording> recording{};
  };

  void record_entry(Entry& entry, const Batch& batch) {
    try {
      entry.recording =
          record_(device_, [this, &entry, batch] { entry.results = work_(entry.staged, batch); });
      has_recorded_ = true;
    } catch (const c10::Error& error) {
      record_ = nullptr;
      const std::string_view text = error.what_without_backtrace();
      log::warning(
          "Work on {0} is launched kernel by kernel, which takes longer: it cannot be recorded: "
          "{1}",
          device_.str(), text.substr(0, text.find('\n')));
    }
  }

  at::Device device_;
  Work work_;
  Record record_;
  bool has_recorded_ = false;
  std::map<StagedBatch::Shape, std::unique_ptr<Entry>> entries_;
};

}  // namespace diffuse
