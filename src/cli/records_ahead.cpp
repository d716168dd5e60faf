#include "records_ahead.hpp"

#include <fmt/core.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "diffuse/base/error.hpp"
#include "diffuse/base/split_texts.hpp"

namespace diffuse::cli {
namespace {

// A batch is also cut at this many bytes, so that long texts do not pile up.
constexpr std::size_t kBatchBytes = std::size_t{8} << 20;
// Batches are gathered to blocks until one is worth waking all threads for.
constexpr std::size_t kBlockRecords = 4096;
constexpr std::size_t kBlockBytes = std::size_t{2} << 20;

}  // namespace

std::vector<std::string_view> RecordBlock::texts() const { return split_texts(bytes, ends); }

RecordsAhead::RecordsAhead(std::size_t batch_records)
    : batch_records_(batch_records), stop_descriptor_(::eventfd(0, EFD_CLOEXEC)) {
  if (stop_descriptor_ < 0)
    throw SystemError(fmt::format("No event descriptor: {}.", std::strerror(errno)));
}

RecordsAhead::~RecordsAhead() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  ::eventfd_write(stop_descriptor_, 1);
  if (thread_.joinable()) thread_.join();
  ::close(stop_descriptor_);
}

DataInput RecordsAhead::watched(DataInput input) {
  // Waiting is right only when everything read so far can be answered.
  input.before_wait = [this] {
    const std::lock_guard lock(mutex_);
    waits_ = true;
    changed_.notify_all();
  };
  input.stop = stop_descriptor_;
  return input;
}

void RecordsAhead::start(std::unique_ptr<RecordReader> reader, OnRow on_row) {
  reader_ = std::move(reader);
  thread_ = std::thread([this, call = std::move(on_row)] { read_all(call); });
}

void RecordsAhead::read_all(const OnRow& on_row) {
  try {
    Example example;
    BadRow bad;
    while (!stopped_) {
      const ReadStatus status = reader_->next(example, bad);
      on_row(*reader_);
      if (status == ReadStatus::end) break;
      add(status, example, bad);
    }
  } catch (...) {
    return finish(std::current_exception());
  }
  finish(nullptr);
}

void RecordsAhead::add(ReadStatus status, Example& example, const BadRow& bad) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !is_full() || stopped_; });
  waits_ = false;
  RecordBlock& block = filled_;
  if (!example.kept.empty() || !block.kept.empty()) {
    block.kept.resize(block.size());
    block.kept.push_back(std::exchange(example.kept, {}));
  }
  if (status == ReadStatus::bad) {
    block.unusable.push_back(
        {block.size(), bad.line, fmt::format("{}; expected {}", bad.problem, bad.expected)});
  } else {
    block.bytes += example.text;
    block.ends.push_back(block.bytes.size());
  }
  if (block.size() - batch_first_ >= batch_records_ ||
      block.bytes.size() - batch_first_byte_ >= kBatchBytes)
    end_batch();
  if (is_full()) changed_.notify_all();
}

void RecordsAhead::end_batch() {
  batch_first_ = filled_.size();
  batch_first_byte_ = filled_.bytes.size();
  const std::size_t before = filled_.batches.empty() ? 0 : filled_.batches.back();
  if (filled_.ends.size() > before) filled_.batches.push_back(filled_.ends.size());
}

/// Only between two batches, so that these depend on nothing but the records.
bool RecordsAhead::is_full() const {
  return (filled_.size() >= kBlockRecords || filled_.bytes.size() >= kBlockBytes) &&
         batch_first_ == filled_.size();
}

void RecordsAhead::finish(std::exception_ptr fault) {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  fault_ = std::move(fault);
  changed_.notify_all();
}

bool RecordsAhead::next(RecordBlock& block) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return is_full() || ended_ || (waits_ && filled_.size() > 0); });
  if (filled_.size() == 0) {
    if (fault_) std::rethrow_exception(fault_);
    return false;
  }
  end_batch();
  block = std::exchange(filled_, {});
  batch_first_ = 0;
  batch_first_byte_ = 0;
  changed_.notify_all();
  return true;
}

}  // namespace diffuse::cli
