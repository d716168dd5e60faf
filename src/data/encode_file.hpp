#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "diffuse/config/config.hpp"
#include "diffuse/data/dataset.hpp"
#include "diffuse/data/layout.hpp"
#include "diffuse/text/tokenizer.hpp"
#include "label_resolver.hpp"

namespace diffuse {

/// How a file is read.
struct FileOptions {
  std::filesystem::path path;
  std::string name;           ///< how log lines call it: "data.train"
  DataConfig data;            ///< format, columns, what to do with bad rows
  std::int64_t max_rows = 0;  ///< usable rows to read; 0: all
  std::int64_t max_tokens = 0;
  int threads = 1;
  std::optional<RecordLayout> layout{};  ///< of the training data; nothing: found in the file
  /// Whether a label that is not known is a row that counts as wrong (label -1) and no bad one.
  bool unknown_labels = false;
  bool own_settings = true;  ///< what --set says of `data` is of no other file
  std::string skip_hint = "--set data.on_error=skip";  ///< what leaves bad rows out
};

/// What reading a file found beside its rows.
struct FileFindings {
  RecordLayout layout;
  bool told = false;  ///< something of it is to be told each time that the file is used
};

/// Reads, checks and encodes the file in blocks, so that only a block of texts is in memory. Labels
/// are those that `labels` gives (provisional ones if it collects). Bad rows: a DataError, or with
/// `data.on_error` = skip a count (`skipped_rows`) and the first five in the log. Throws DataError
/// if no row is usable.
std::unique_ptr<EncodedDataset> encode_file(const FileOptions& options, const Tokenizer& tokenizer,
                                            LabelResolver& labels,
                                            FileFindings* findings = nullptr);

/// Makes the `words` tokenizer from the rows that `encode_file` would take.
std::unique_ptr<Tokenizer> build_vocabulary(const FileOptions& options,
                                            const TokenizerConfig& tokenizer, LabelResolver labels);

}  // namespace diffuse
