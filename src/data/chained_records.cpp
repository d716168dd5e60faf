#include "chained_records.hpp"

#include <filesystem>
#include <utility>

#include "diffuse/base/error.hpp"

namespace diffuse {
namespace {

DataInput open_file(const std::string& file) { return {std::filesystem::path(file)}; }

}  // namespace

ChainedRecords::ChainedRecords(std::vector<std::string> files, const DataConfig& config,
                               const ReadOptions& options)
    : files_(std::move(files)),
      config_(config),
      options_(options),
      reader_(open_records(open_file(files_.front()), config_, options_)) {}

const RecordLayout* ChainedRecords::layout() const {
  return options_.layout ? &*options_.layout : reader_->layout();
}

/// Keeps what was noticed in the file that has been read.
void ChainedRecords::take_notes() {
  const ReadNotes& own = reader_->notes();
  const std::string file = source();
  notes_.swallowed += own.swallowed;
  for (ReadNotes::Span span : own.swallowers) {
    span.file = file;
    notes_.swallowers.push_back(span);
  }
  notes_.repeated_headers.insert(notes_.repeated_headers.end(), own.repeated_headers.begin(),
                                 own.repeated_headers.end());
  if (!any_) notes_.empty_files.push_back(file);
}

bool ChainedRecords::open_next() {
  take_notes();
  if (!options_.layout && reader_->layout() != nullptr) {
    options_.layout = *reader_->layout();
    options_.goes_on = true;
  }
  if (place_ + 1 == files_.size()) return false;
  any_ = false;
  reader_ = open_records(open_file(files_[++place_]), config_, options_);
  return true;
}

ReadStatus ChainedRecords::next(Example& example, BadRow& bad) {
  while (!ended_) {
    const ReadStatus status = reader_->next(example, bad);
    if (status != ReadStatus::end) {
      any_ = true;
      return status;
    }
    ended_ = !open_next();
  }
  return ReadStatus::end;
}

void check_read_again(const InputFiles& files) {
  if (files.from_stdin())
    throw DataError(
        "data.train is stdin, which can be read once: what reads the rows again, or looks at them "
        "before training, needs them in a file");
}

std::unique_ptr<RecordReader> open_record_files(const std::vector<std::string>& files,
                                                const DataConfig& config,
                                                const ReadOptions& options) {
  check_read_again(files);
  if (files.size() == 1) return open_records(open_file(files.front()), config, options);
  return std::make_unique<ChainedRecords>(files, config, options);
}

}  // namespace diffuse
