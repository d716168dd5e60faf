#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "diffuse/data/records.hpp"

namespace diffuse::cli {

/// Records that are answered together, in their order.
struct RecordBlock {
  struct Unusable {
    std::size_t place = 0;  ///< among all records of the block
    std::uint32_t line = 0;
    std::string message;
  };
  std::string bytes;              ///< of the usable records' texts, one behind the other
  std::vector<std::size_t> ends;  ///< of each text, in `bytes`
  std::vector<Unusable> unusable;
  std::vector<std::vector<KeptValue>> kept;  ///< of each record; empty where nothing is kept
  std::vector<std::size_t> batches;          ///< usable records up to the end of each batch

  std::size_t size() const { return ends.size() + unusable.size(); }
  std::vector<std::string_view> texts() const;
};

/// Reads records on a thread of its own while those before are answered. No more than two blocks
/// are in memory: one that is filled and one that is answered.
class RecordsAhead {
 public:
  /// A batch is full at `batch_records` records or some MB of text, a block at so many batches that
  /// it keeps all threads busy.
  explicit RecordsAhead(std::size_t batch_records);
  ~RecordsAhead();
  RecordsAhead(const RecordsAhead&) = delete;
  RecordsAhead& operator=(const RecordsAhead&) = delete;

  /// `input`, read so that what has come can be answered before more is waited for, and that
  /// nothing is waited for when this object goes.
  DataInput watched(DataInput input);
  /// Begins to read. `on_row` is called in the reading thread after each record.
  using OnRow = std::function<void(const RecordReader&)>;
  void start(std::unique_ptr<RecordReader> reader, OnRow on_row);
  /// The next block: a full one, or what has come where more has to be waited for; false at the
  /// end. Throws what reading threw, after all that came before.
  bool next(RecordBlock& block);
  /// What was noticed, after the end.
  const ReadNotes& notes() const { return reader_->notes(); }

 private:
  void read_all(const OnRow& on_row);
  void add(ReadStatus status, Example& example, const BadRow& bad);
  void end_batch();
  bool is_full() const;
  void finish(std::exception_ptr fault);

  std::size_t batch_records_;
  int stop_descriptor_;
  std::unique_ptr<RecordReader> reader_;  // of the reading thread, until it ends

  std::mutex mutex_;  // of all that follows
  std::condition_variable changed_;
  RecordBlock filled_;
  std::size_t batch_first_ = 0;  // record of the batch that is filled
  std::size_t batch_first_byte_ = 0;
  bool waits_ = false;  // nothing more is there to be read
  bool ended_ = false;
  std::atomic<bool> stopped_ = false;
  std::exception_ptr fault_;
  std::thread thread_;
};

}  // namespace diffuse::cli
