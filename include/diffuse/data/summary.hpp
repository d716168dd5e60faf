#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/data/dataset.hpp"
#include "diffuse/text/labels.hpp"

namespace diffuse {

/// Texts that have more than one label.
struct AmbiguousTexts {
  std::int64_t texts = 0;
  std::int64_t rows = 0;
};

/// What a model reads of some rows, and what not.
struct PartSummary {
  std::string name;  ///< how messages call it: "data.train"
  std::int64_t rows = 0;
  std::int64_t tokens = 0;          ///< that are read
  std::int64_t unknown_tokens = 0;  ///< of them, words that are not in the vocabulary
  std::int64_t max_tokens = 0;      ///< tokenizer.max_tokens
  std::int64_t file_rows = 0;       ///< of the whole file; a part split off from it has none
  std::int64_t file_tokens = 0;     ///< as `file_rows`, that are read
  CutTexts cut{};                   ///< of the whole file
  std::int64_t pooled_rows = 0;     ///< that are read in pieces (tokenizer.long_texts = pool)
  std::int64_t pieces = 0;          ///< of those
  bool ngrams = false;              ///< there are some, of whole texts
  std::int64_t bad_rows = 0;        ///< of the whole file, left out (data.on_error = skip)
  /// Rows whose text stands in the training rows, too; nothing where they were not compared.
  std::optional<std::int64_t> training_rows{};
  std::int64_t relabelled_rows = 0;  ///< of these, with a label that the text has not in training
  AmbiguousTexts ambiguous{};        ///< of the whole file

  double unknown_share() const;  ///< of the tokens
  double unread_share() const;   ///< of the tokens that all texts of the file have
};

/// Of `view`. `cut`, `bad_rows` and `ambiguous` are its whole file's: for a part of one, leave
/// `whole` false.
PartSummary summarize(const std::string& name, const DatasetView& view, std::int32_t unknown_id,
                      const TokenizerConfig& tokenizer, bool whole = true);

/// Rows of `data` whose text is one of `different_texts`, which a checkpoint keeps
/// (DataFacts::different_texts) of the training file.
std::int64_t count_known_texts(const EncodedDataset& data,
                               std::span<const std::uint64_t> different_texts);

/// The same of all parts of a training.
struct DataSummary {
  PartSummary train;
  PartSummary validation;  ///< without rows where there are none
  PartSummary test;
  std::vector<std::int32_t> unvalidated_classes;  ///< with training rows, but none in validation
};

/// Something that a reader of the figures should know.
struct DataNote {
  std::string text;
  bool warning = false;
};

/// What there is to say of a part: texts that were cut, unknown words, texts of several labels,
/// texts that stand in training. What concerns few is no warning (docs/data.md, "What was not
/// used").
std::vector<DataNote> data_notes(const PartSummary& part);
/// The same of all parts, with classes that validation lacks.
std::vector<DataNote> data_notes(const DataSummary& summary, const Labels& labels);

/// Logs `notes` as warnings and plain lines.
void tell(const std::vector<DataNote>& notes);

/// "1,234 rows, 56,789 tokens", and in brackets what was not used of them.
std::string part_text(const PartSummary& part);

}  // namespace diffuse
