#include "recorded_updates.hpp"

#include <c10/util/Exception.h>

#include <string_view>

#include "diffuse/base/log.hpp"
#include "diffuse/device/device.hpp"

namespace diffuse {
namespace {

/// Shapes with memory of their own; batches of others share none that stays.
constexpr std::size_t kMostShapes = 64;

}  // namespace

RecordedUpdates::Figures RecordedUpdates::run(const std::shared_ptr<const PackedRows>& rows,
                                              const UpdateNumbers& numbers) {
  const StagedBatch::Shape shape = StagedBatch::shape_of(*rows);
  if (!entries_.contains(shape) && entries_.size() >= kMostShapes) entries_.clear();
  std::unique_ptr<Entry>& entry = entries_[shape];
  if (entry == nullptr) entry = std::make_unique<Entry>(shape, device_);
  run_apart(device_, [&] {
    entry->staged.load(*rows, numbers);
    const Batch batch = entry->staged.batch(rows);
    if (entry->ran && !failed_ && entry->recording == nullptr) record_entry(*entry, batch);
    if (entry->recording != nullptr)
      entry->recording->replay();
    else
      entry->figures = work_(entry->staged, batch);
    entry->ran = true;
  });
  return entry->figures;
}

void RecordedUpdates::record_entry(Entry& entry, const Batch& batch) {
  try {
    // What is recorded needs nothing of the host's batch later.
    entry.recording =
        record_(device_, [this, &entry, batch] { entry.figures = work_(entry.staged, batch); });
  } catch (const c10::Error& error) {
    if (is_out_of_memory(error)) throw;
    failed_ = true;
    const std::string_view text = error.what_without_backtrace();
    log::warning(
        "The updates are launched kernel by kernel, which takes longer: {} cannot record them: {}",
        device_.str(), text.substr(0, text.find('\n')));
  }
}

std::size_t RecordedUpdates::recordings() const {
  std::size_t count = 0;
  for (const auto& [shape, entry] : entries_) count += entry->recording != nullptr ? 1 : 0;
  return count;
}

}  // namespace diffuse
