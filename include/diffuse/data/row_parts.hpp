#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/text/labels.hpp"

namespace diffuse {

/// The usable rows of a training file, in its order, as far as it takes to part them.
struct LabelledRows {
  Labels names;  ///< of all classes of the file
  /// [n] places in `names`; of several labels that of the first, -1 of none.
  std::vector<std::int32_t> labels;
  std::vector<std::uint64_t> texts;  ///< [n] equal where the words are, in whatever case
  /// [n] of each among all records of the file, bad ones included; empty: there are no others.
  std::vector<std::uint32_t> places{};

  std::size_t size() const { return labels.size(); }
  /// Which of the file's records are the `chosen` `[n]` rows: as long as it takes.
  std::vector<bool> records(const std::vector<bool>& chosen) const;
};

/// Reads `data.train` once for this alone; a text's words are what tokenizer.type = words reads, so
/// that the parts are the same whatever else is configured. Tells of no bad row: whoever reads the
/// file in earnest does. Throws DataError as reading does.
LabelledRows read_labelled_rows(const DataConfig& data);

/// Reads `data.train` again and calls `visit` for each usable row with its place among them, its
/// text and its weight.
void visit_rows(
    const DataConfig& data,
    const std::function<void(std::size_t place, std::string_view text, double weight)>& visit);

/// Which of a training file's records are trained on, and which are tested. Bad rows count, because
/// what is a bad row of the training may be a good one for who reads fewer columns.
struct RowParts {
  std::vector<bool> train;
  std::vector<bool> test;
  Labels names;  ///< of all classes of the file
};

/// The rows `[n]` of the test, `fraction` of all: of every class its share, by the rule of the
/// validation split (src/data/split.hpp). Equal texts stand on one side. Throws DataError if no row
/// is left for it.
std::vector<bool> choose_test_rows(const LabelledRows& rows, double fraction, std::int64_t seed);
/// The same as parts of the file.
RowParts split_off_test(const LabelledRows& rows, double fraction, std::int64_t seed);

/// The fold, 0 … folds - 1, of each row for which `among` is true, and -1 of the others: of every
/// class about as many rows in each fold, and rows of equal texts in the same one. A function of
/// its arguments alone. Throws DataError if there are fewer different texts than folds.
std::vector<std::int64_t> assign_folds(const LabelledRows& rows, const std::vector<bool>& among,
                                       std::int64_t folds, std::int64_t seed);

}  // namespace diffuse
