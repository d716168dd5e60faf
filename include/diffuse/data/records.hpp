#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/data/byte_source.hpp"
#include "diffuse/data/layout.hpp"

namespace diffuse {

/// Why a row cannot be used. The message is `file:line: problem; expected ...`.
struct BadRow {
  std::uint32_t line = 0;
  std::string problem;
  std::string expected;
  std::string file{};  ///< where there are several, the one that it is in
};

enum class ReadStatus { row, bad, end };

/// A column that is carried through (ReadOptions::keep).
struct KeptValue {
  std::string text;
  bool is_text = true;  ///< else JSON that is no string
};

/// A probability for each class, as it stands in a row: at least 0 and about 1 together.
struct SoftLabel {
  std::vector<std::pair<std::string, double>> by_name{};  ///< class and probability
  std::vector<double> in_order{};                         ///< in the order of the classes instead

  bool empty() const { return by_name.empty() && in_order.empty(); }
};

/// One text, labelled unless texts alone are read.
struct Example {
  std::string text;
  std::string label;                  ///< empty where the soft label says it
  std::uint32_t line = 0;             ///< 1-based line on which the row starts
  double weight = 1;                  ///< in the loss
  SoftLabel soft{};                   ///< empty: none
  std::vector<std::string> labels{};  ///< with data.label_separator, in the place of `label`
  std::vector<KeptValue> kept{};
};

/// How a file is read beside what the config says.
struct ReadOptions {
  static constexpr std::size_t kBytesAhead = std::size_t{1} << 20;

  std::optional<RecordLayout> layout;  ///< of the training data; nothing: found by the config
  bool goes_on = false;                ///< `layout` is that of the file which this one goes on with
  bool need_label = true;              ///< false: texts alone; a column of labels may be missing
  bool own_settings = true;            ///< what --set says of `data` is of no other file
  std::size_t rows_ahead = 1000;       ///< looked at, before columns are decided about
  std::vector<std::string> keep;       ///< columns or keys to carry through
};

/// What else was noticed on reading.
struct ReadNotes {
  struct Span {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    std::string file{};  ///< of several the one that they are in
  };
  std::size_t swallowed = 0;     ///< lines inside of quotes that look like rows of their own
  std::vector<Span> swallowers;  ///< lines of the records that hold them
  std::vector<std::uint32_t> repeated_headers;  ///< lines of headers that were left out
  std::vector<std::string> empty_files;         ///< of several those without a row
};

/// The texts of a file, one after the other.
class RecordReader {
 public:
  virtual ~RecordReader() = default;
  /// The next row, or what is wrong with it; after `bad` reading goes on behind that row. Throws
  /// DataError for what makes the whole file useless (columns that are not there, damaged gzip).
  virtual ReadStatus next(Example& example, BadRow& bad) = 0;
  /// Which columns or keys are label and text; null before the first row, and where there are none.
  virtual const RecordLayout* layout() const = 0;
  const ReadNotes& notes() const { return notes_; }
  /// Of several files the one that the last row is in; of a single one nothing.
  virtual std::string source() const { return {}; }

 protected:
  ReadNotes notes_;
};

/// CSV, TSV or JSONL by `config.format`, or by the file's name when that is automatic. Throws
/// DataError if the file cannot be opened or its name does not tell the format.
std::unique_ptr<RecordReader> open_records(const DataInput& input, const DataConfig& config,
                                           const ReadOptions& options = {});

/// Throws DataError where `files` are stdin: for whoever reads what training reads, too.
void check_read_again(const InputFiles& files);

/// The same of several files that are read one after the other as one; a row's line is that in its
/// own file. The first one is found out about, and the others are read by what it has. Each is
/// opened when the one before it ends.
std::unique_ptr<RecordReader> open_record_files(const std::vector<std::string>& files,
                                                const DataConfig& config,
                                                const ReadOptions& options = {});

/// The texts of some rows, by their numbers among all rows of the file (EncodedDataset::number),
/// for whoever wants them as they were written. Reads the file up to the last of them; empty where
/// it has no usable row of that number. Throws as open_records and its reader do.
std::vector<std::string> read_texts(const InputFiles& files, const DataConfig& config,
                                    const ReadOptions& options,
                                    std::span<const std::uint64_t> numbers);

/// A text a line; empty lines are bad rows.
std::unique_ptr<RecordReader> open_text_lines(const DataInput& input);

/// The format that the name tells, in any case and with or without .gz; automatic: none.
FileFormat format_of_name(const std::filesystem::path& path);
/// The format that `open_records` reads `path` with (never automatic).
FileFormat resolve_format(const std::filesystem::path& path, FileFormat format);

/// Fills `example` from the raw parts of a row: label (if not null) trimmed, texts joined by a
/// blank without the empty ones. Returns `bad`, and what is wrong in `bad`, if something is.
ReadStatus make_example(const std::string* label, const std::vector<std::string_view>& texts,
                        std::uint32_t line, Example& example, BadRow& bad);

}  // namespace diffuse
