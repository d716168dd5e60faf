#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "batch_stream.hpp"
#include "diffuse/data/picture_changes.hpp"
#include "diffuse/data/text_pieces.hpp"

namespace diffuse {

/// The batches of one update, packed.
struct LoadedUpdate {
  std::vector<std::shared_ptr<PackedRows>> batches{};
  std::vector<std::uint32_t> rows{};  ///< of the data set, of all batches
  std::int64_t sequences = 0;         ///< as many as rows, or more: texts that are read in pieces
  double weight = 0;                  ///< of all rows together
  // Where the stream stands behind them.
  std::int64_t epoch = 0;
  std::int64_t position = 0;
  double epochs_done = 0;  ///< with a fraction
};

/// Draws and packs the batches of an update in a thread of its own while the last one is computed,
/// in two sets of memory that it uses by turns. Where that thread has not come to it, on a machine
/// with other work, whoever needs the batches packs them.
class BatchLoader {
 public:
  /// `view` must outlive the loader and hold at least one row, of one of `classes` classes; 0: the
  /// texts alone are wanted. `epoch_rows`: see data.epoch_rows. Texts come in pieces by `pieces`.
  BatchLoader(const DatasetView& view, const TrainConfig& config, std::int64_t classes,
              std::int64_t epoch_rows = 0, const PieceRule& pieces = {});
  ~BatchLoader();
  BatchLoader(const BatchLoader&) = delete;
  BatchLoader& operator=(const BatchLoader&) = delete;

  /// As BatchStream::seek; before the first next().
  void seek(std::int64_t epoch, std::int64_t position);

  /// The next update's batches, which stay until the next call. Waits for them, and throws what
  /// kept them from being packed.
  const LoadedUpdate& next();
  /// What next() returned last, or where seek() stands.
  const LoadedUpdate& current() const { return loaded_[current_]; }

 private:
  enum class Work { none, wanted, begun };

  void serve();
  void load_next(std::unique_lock<std::mutex>& lock);
  void load(LoadedUpdate& update);
  void change(PackedRows& packed, const BatchStream::Rows& rows, std::uint64_t seed) const;
  void note_place(LoadedUpdate& update);

  const DatasetView& view_;
  TargetRule rule_;
  PieceRule pieces_;
  PictureChanges changes_;
  std::uint64_t seed_;
  BatchStream stream_;  // of whoever has begun to load
  LoadedUpdate loaded_[2];
  std::size_t current_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  Work work_ = Work::none;  // on the set that is not current
  bool stop_ = false;
  std::exception_ptr failure_;
  std::thread thread_;
};

}  // namespace diffuse
