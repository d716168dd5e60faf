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
  std::vector<std::uint32_t> places;  ///< among all records of the file, bad ones included
  RowTargets targets;

  bool empty() const { return ends.empty(); }
  std::vector<std::string_view> texts() const;
};

/// Carries out `data.on_error`.
class BadRows {
 public:
  /// `options` must outlive the object.
  explicit BadRows(const FileOptions& options) : options_(options) {}

  /// Throws DataError unless bad rows are skipped; warns of the first ones that are.
  void add(const BadRow& bad);
  /// Warns of how many there were, if there were any.
  void report() const;
  /// What most of them have in common, for a file without any other row.
  std::string in_common() const;

  std::size_t count() const { return count_; }

 private:
  struct Kind {
    std::size_t rows = 0;
    BadRow first;
  };

  const FileOptions& options_;
  std::size_t count_ = 0;
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
  /// At the end: warns of what was left out and tells what was found. Throws DataError if no row
  /// was usable.
  void finish(FileFindings& findings);
  /// For each row that was not taken, in file order, how many that were stand before it.
  std::vector<std::uint32_t> take_missing() { return std::move(missing_before_); }
  std::size_t bad_rows() const { return bad_rows_.count(); }

 private:
  bool add_row(RowBlock& block);
  void leave_out(BadRow bad);
  [[noreturn]] void refuse_labels() const;
  bool is_named_again(std::int32_t label);
  bool at_limit() const;
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
  std::vector<std::size_t> named_in_;  // the last record that named each class, counted from 1
  std::size_t records_ = 0;            // that have been read, bad ones included
  std::int64_t count_ = 0;             // of usable rows, those of other parts included
  std::uint32_t taken_ = 0;            // of them, those that are taken
  std::vector<std::uint32_t> missing_before_;
};

}  // namespace diffuse
