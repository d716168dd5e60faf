#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/data/byte_source.hpp"
#include "diffuse/data/dataset.hpp"
#include "diffuse/data/layout.hpp"
#include "diffuse/text/ngrams.hpp"
#include "diffuse/text/tokenizer.hpp"
#include "label_resolver.hpp"

namespace diffuse {

/// What gives the rows' n-grams: a vocabulary, or what makes one; neither: they have none.
struct NgramEncoders {
  const NgramVocabulary* vocabulary = nullptr;
  NgramVocabularyBuilder* builder = nullptr;  ///< then numbers are provisional ones
};

/// How a file is read.
struct FileOptions {
  std::filesystem::path path;  ///< the file, or the first of several
  std::string name;            ///< how log lines call it: "data.train"
  DataConfig data;             ///< format, columns, what to do with bad rows
  std::int64_t max_rows = 0;   ///< usable rows to read; 0: all
  std::int64_t max_tokens = 0;
  int threads = 1;
  std::optional<RecordLayout> layout{};  ///< of the training data; nothing: found in the file
  /// Whether a label that is not known is a row that counts as wrong (label -1) and no bad one.
  bool unknown_labels = false;
  bool own_settings = true;  ///< what --set says of `data` is of no other file
  std::string skip_hint = "--set data.on_error=skip";  ///< what leaves bad rows out
  NgramEncoders ngrams{};
  /// Which of all records are taken, usable ones or not (RowParts); null: all.
  const std::vector<bool>* rows = nullptr;
  bool quiet = false;  ///< the file has been read before, and told of
  /// Gets the bytes of a single file as they are read; may be null.
  FileHash* hash = nullptr;
  std::vector<std::string> more{};  ///< files behind `path` that are one with it
  /// Where rows beyond the first megabytes stand, in a file without a name; empty: in memory.
  std::filesystem::path rows_folder{};
};

/// What reading a file found beside its rows.
struct FileFindings {
  RecordLayout layout;
  bool told = false;  ///< something of it is to be told each time that the file is used
};

/// Reads, checks and encodes the file in one pass, in blocks: while all threads encode one, the
/// next is read, so that two blocks of texts are in memory and no more. Labels are those that
/// `labels` gives (provisional ones if it collects). Bad rows: a DataError, or with
/// `data.on_error` = skip a count (`skipped_rows`) and the first five in the log. Throws DataError
/// if no row is usable.
///
/// One pass means: each byte is read, each record parsed and each text tokenized once, a packed
/// file or not. Two things need bytes before: the columns, for which the first records are held
/// until they are decided about, and the cache, whose key is the whole file's hash.
std::unique_ptr<EncodedDataset> encode_file(const FileOptions& options, const Tokenizer& tokenizer,
                                            LabelResolver& labels,
                                            FileFindings* findings = nullptr);

/// The same by a `words` tokenizer that is made of the file's own rows, in the same pass: a word's
/// provisional id becomes the final one when all are counted. The vocabulary has `words`, too.
struct EncodedTraining {
  std::unique_ptr<Tokenizer> tokenizer;
  std::unique_ptr<EncodedDataset> data;
};
EncodedTraining encode_training_file(const FileOptions& options, const TokenizerConfig& tokenizer,
                                     LabelResolver& labels, FileFindings* findings = nullptr,
                                     std::span<const std::string> words = {});

/// What is counted in bounded memory, in a log line.
struct CountedKind {
  std::string_view name;  ///< "word"
  std::string_view one;   ///< "a word"
  std::string_view key;   ///< of the config, that sets the bound
};
/// Says of a file what its counting forgot, of `counted` at once; nothing where it forgot nothing.
void tell_forgotten(const FileOptions& options, const CountedKind& kind, std::int64_t counted,
                    const Forgotten& forgotten);

}  // namespace diffuse
