#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "columns.hpp"
#include "records.hpp"
#include "text_buffer.hpp"

namespace diffuse {

/// One JSON object a line. Labels are strings or whole numbers, texts strings; empty lines are no
/// rows; keys that are neither label nor text are not looked at.
class JsonlRecords : public RecordReader {
 public:
  JsonlRecords(const std::filesystem::path& path, const DataConfig& config)
      : buffer_(path), config_(config) {}

  ReadStatus next(Example& example, BadRow& bad) override;
  std::string columns_text() const override { return keys_ ? keys_->description : ""; }

 private:
  ReadStatus parse(std::string_view line, std::uint32_t number, Example& example, BadRow& bad);

  TextBuffer buffer_;
  DataConfig config_;
  std::optional<Keys> keys_;
};

}  // namespace diffuse
