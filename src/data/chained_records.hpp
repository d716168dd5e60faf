#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "diffuse/data/records.hpp"

namespace diffuse {

/// The rows of several files, one file after the other. What was found out about the first file
/// with rows, its columns and keys, is how the others are read.
class ChainedRecords : public RecordReader {
 public:
  /// Opens the first file only.
  ChainedRecords(std::vector<std::string> files, const DataConfig& config,
                 const ReadOptions& options);

  ReadStatus next(Example& example, BadRow& bad) override;
  const RecordLayout* layout() const override;
  std::string source() const override { return files_[place_]; }

 private:
  bool open_next();
  void take_notes();

  std::vector<std::string> files_;
  DataConfig config_;
  ReadOptions options_;
  std::unique_ptr<RecordReader> reader_;
  std::size_t place_ = 0;  // of the open file
  bool any_ = false;       // row in it
  bool ended_ = false;     // the last one
};

}  // namespace diffuse
