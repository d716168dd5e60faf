#pragma once

#include <deque>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "csv_reader.hpp"
#include "diffuse/data/records.hpp"

namespace diffuse {

/// The rows of a CSV or TSV file. The first ones are looked at before it is decided which columns
/// are label and text; a header that comes again is left out.
class CsvRecords : public RecordReader {
 public:
  /// `separator` 0: found in the file, by `expected` of one beside the training data.
  CsvRecords(const DataInput& input, FileFormat format, char separator,
             std::optional<ExpectedColumns> expected, DataConfig config, ReadOptions options)
      : reader_(input, separator, config.quote, std::move(expected), !config.separator.empty()),
        format_(format),
        config_(std::move(config)),
        options_(std::move(options)) {}

  ReadStatus next(Example& example, BadRow& bad) override;
  const RecordLayout* layout() const override { return layout_ ? &*layout_ : nullptr; }

 private:
  /// A record, read and looked at.
  struct Entry {
    ReadStatus status = ReadStatus::end;
    CsvRecord record;
    BadRow bad;
  };
  void read(Entry& entry);
  void look_ahead();
  void decide(std::size_t first);
  void note_label(const std::string& label);
  void note_swallowed(const CsvRecord& record);

  CsvReader reader_;
  FileFormat format_;
  DataConfig config_;
  ReadOptions options_;
  std::deque<Entry> ahead_;
  Entry entry_;
  std::optional<RecordLayout> layout_;
  std::vector<std::string> header_;  // empty: there is none
  std::uint32_t first_line_ = 1;
  std::vector<std::size_t> kept_;  // columns to carry through
  std::vector<std::string_view> texts_;
  std::unordered_set<std::string> labels_;  // seen
  std::string last_label_;
};

}  // namespace diffuse
