#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "diffuse/data/records.hpp"
#include "encode_file.hpp"
#include "label_resolver.hpp"
#include "read_report.hpp"

namespace diffuse {

/// Some usable rows of a file; their texts stand one behind the other.
struct RowBlock {
  std::string bytes;
  std::vector<std::size_t> ends;  ///< of each text, in `bytes`
  std::vector<std::int32_t> labels;
  std::vector<std::uint32_t> lines;
  RowTargets targets;

  bool empty() const { return ends.empty(); }
  std::vector<std::string_view> texts() const;
};

/// Carries out `data.on_error`.
class BadRows {
 public:
  /// `options` must outlive the object.
  explicit BadRows(const FileOptions& options) : options_(options) {}

  /// `rows_before`: usable rows before the bad one. Throws DataError unless bad rows are skipped;
  /// warns of the first ones that are.
  void add(const BadRow& bad, std::int64_t rows_before);
  /// Warns of how many there were, if there were any.
  void report() const;
  /// What most of them have in common, for a file without any other row.
  std::string in_common() const;

  std::size_t count() const { return rows_before_.size(); }
  /// For each of them, how many usable rows stand before it.
  std::vector<std::uint32_t> take() { return std::move(rows_before_); }

 private:
  struct Kind {
    std::size_t rows = 0;
    BadRow first;
  };

  const FileOptions& options_;
  std::vector<std::uint32_t> rows_before_;
  std::map<std::string, Kind> kinds_;
};

/// The usable rows of a file, a block at a time.
class RowBlocks {
 public:
  /// `options` and `labels` must outlive the object. Throws as `open_records` does.
  RowBlocks(const FileOptions& options, LabelResolver& labels);

  /// Fills `block`, which is empty at the end of the file. Throws DataError for a bad row that is
  /// not to be skipped, and for what makes the whole file useless.
  void read(RowBlock& block);
  /// At the end: warns of what was left out and tells what was found. Returns for each bad row how
  /// many usable ones stand before it. Throws DataError if no row was usable.
  std::vector<std::uint32_t> finish(FileFindings& findings);

 private:
  bool add_row(RowBlock& block);
  std::optional<RowTarget> target_of(const Example& example);
  std::optional<RowTarget> several_of(const Example& example);
  std::optional<std::int32_t> label_of(const std::string& name, std::uint32_t line);

  const FileOptions& options_;
  LabelResolver& labels_;
  std::unique_ptr<RecordReader> reader_;
  UnknownLabels unknown_;
  BadRows bad_rows_;
  Example example_;
  BadRow bad_;
  std::vector<ClassShare> shares_;
  std::int64_t count_ = 0;
};

}  // namespace diffuse
