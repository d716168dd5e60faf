#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>

#include "diffuse/data/packed_rows.hpp"
#include "diffuse/device/recording.hpp"
#include "staged_batch.hpp"

namespace diffuse {

/// Updates that a device is told in two calls: one copy of the batch, and one launch of all that is
/// computed of it. For each shape of a batch (StagedBatch) the first update runs kernel by kernel,
/// which makes ready what kernels need; the second is recorded. Where that cannot be, a warning says
/// so once, and all go on kernel by kernel. Results are the same either way.
class RecordedUpdates {
 public:
  /// What an update computes: stays where it is, and is overwritten by the next of its shape.
  struct Figures {
    at::Tensor loss;
    at::Tensor correct;
    at::Tensor gradient_norm;
  };
  /// An update of the weights by the batch that `staged` holds; `batch` is that one. Must not wait
  /// for the device.
  using Work = std::function<Figures(const StagedBatch& staged, const Batch& batch)>;
  /// `record` of diffuse/device/recording.hpp: tests have one of their own.
  using Record = std::function<std::unique_ptr<Recording>(at::Device, std::function<void()>)>;

  RecordedUpdates(at::Device device, Work work, Record record = diffuse::record)
      : device_(device), work_(std::move(work)), record_(std::move(record)) {}

  Figures run(const std::shared_ptr<const PackedRows>& rows, const UpdateNumbers& numbers);

  std::size_t recordings() const;  ///< so far

 private:
  struct Entry {
    explicit Entry(const StagedBatch::Shape& shape, at::Device device) : staged(shape, device) {}
    StagedBatch staged;
    Figures figures{};
    bool ran = false;
    std::unique_ptr<Recording> recording{};
  };

  void record_entry(Entry& entry, const Batch& batch);

  at::Device device_;
  Work work_;
  Record record_;
  std::map<StagedBatch::Shape, std::unique_ptr<Entry>> entries_;
  bool failed_ = false;
};

}  // namespace diffuse
