#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diffuse/config/config.hpp"

namespace diffuse {

/// A column of a CSV or TSV file, or a key of JSONL.
struct ColumnRef {
  std::string name;            ///< empty in a file without a header
  std::size_t number = 0;      ///< from 1; 0 in JSONL
  std::size_t occurrence = 1;  ///< 2 is the second column of this name
  bool operator==(const ColumnRef&) const = default;
};

/// How a file is read: what was found out, once, about its columns. Training's is part of the
/// model, and every other file is read by it (docs/data.md, "Other files").
struct RecordLayout {
  FileFormat format = FileFormat::csv;  ///< never automatic
  char separator = ',';                 ///< of csv and tsv
  bool header = false;                  ///< the first record holds names
  std::size_t columns = 0;              ///< fields of every record; 0 in JSONL
  std::optional<ColumnRef> label;       ///< nothing where texts alone are read and none was found
  std::vector<ColumnRef> texts;         ///< in the order in which they are joined
  std::optional<ColumnRef> weight{};    ///< while the training file is read; not kept
  std::string description;              ///< all of this in words, for the log

  /// Whether columns are known by their names: JSONL, or a file with a header.
  bool named() const { return format == FileFormat::jsonl || header; }
  /// All columns, label first where there is one, as a reader of a message knows them:
  /// `label "stars", text "title", "body"`, or numbers where there are no names.
  std::string columns_text() const;
};

/// What a checkpoint keeps of the data that the model was trained on: its member `data.json`, and
/// the texts' hashes in `texts.bin`.
struct DataFacts {
  /// Of more texts none is kept: 4 MB in every checkpoint are enough.
  static constexpr std::size_t kMostTexts = 500'000;

  RecordLayout layout;
  std::vector<std::int64_t> class_rows;  ///< training rows of each class, in the labels' order
  std::int64_t rows = 0;  ///< training rows where each may have several labels; else 0
  /// A hash of each text of the training file, ascending, by which `eval` knows them again; empty
  /// where there are too many, and in the facts that are read back: see read_training_texts.
  std::vector<std::uint64_t> different_texts{};
};

/// Of texts of several labels, the logarithm of each label's odds among the training rows, [C]:
/// what is to be said of a text of which nothing is known.
std::vector<float> label_log_odds(const DataFacts& facts);

/// The content of `data.json`; reads back to the same facts, the texts apart.
std::string data_facts_json(const DataFacts& facts);
/// Throws DataError, beginning with `source`, for what is no such content, also for columns without
/// names that a table of so many does not have.
DataFacts parse_data_facts(std::string_view json, const std::string& source);

}  // namespace diffuse
