#pragma once

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "diffuse/data/records.hpp"
#include "json_line.hpp"
#include "text_buffer.hpp"

namespace diffuse {

/// One JSON object a line. Labels are strings, numbers, true or false, texts strings; keys that are
/// neither label nor text are not looked at. Empty lines are no rows; where texts alone are read,
/// every line is one, and each object's keys are found by themselves.
class JsonlRecords : public RecordReader {
 public:
  JsonlRecords(const DataInput& input, DataConfig config, ReadOptions options)
      : buffer_(input), config_(std::move(config)), options_(std::move(options)) {}

  ReadStatus next(Example& example, BadRow& bad) override;
  const RecordLayout* layout() const override { return layout_ ? &*layout_ : nullptr; }

 private:
  /// A line, read and looked at.
  struct Entry {
    ReadStatus status = ReadStatus::end;
    JsonLine json;
    std::uint32_t line = 0;
    BadRow bad;
  };
  Entry read();
  void decide();
  ReadStatus label_of(const Entry& entry, std::string& label, std::vector<std::string>& labels,
                      BadRow& bad) const;
  ReadStatus target_of(const Entry& entry, std::string& label, Example& example, BadRow& bad) const;
  ReadStatus take(const Entry& entry, Example& example, BadRow& bad);
  ReadStatus fail(BadRow& bad, std::uint32_t line, std::string problem, std::string expected) const;

  TextBuffer buffer_;
  DataConfig config_;
  ReadOptions options_;
  std::deque<Entry> ahead_;
  std::optional<RecordLayout> layout_;
  std::string line_;
};

}  // namespace diffuse
