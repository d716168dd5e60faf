#include "encode_file.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <map>
#include <vector>

#include "diffuse/base/error.hpp"
#include "diffuse/base/hash.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/data/records.hpp"
#include "read_report.hpp"

namespace diffuse {
namespace {

constexpr std::size_t kBlockRows = 4096;
constexpr std::size_t kBlockBytes = std::size_t{4} << 20;
constexpr std::size_t kShownBadRows = 5;

struct Block {
  std::vector<std::string> texts;
  std::vector<std::int32_t> labels;
  std::vector<std::uint32_t> lines;
  std::size_t bytes = 0;
};

/// Carries out `data.on_error`.
class BadRows {
 public:
  BadRows(const FileOptions& options, bool quiet) : options_(options), quiet_(quiet) {}

  /// `rows_before`: usable rows before the bad one.
  void add(const BadRow& bad, std::int64_t rows_before) {
    const std::string message = fmt::format("{}:{}: {}; expected {}", options_.path.string(),
                                            bad.line, bad.problem, bad.expected);
    constexpr std::size_t kMostKinds = 1000;
    const std::string kind = kind_of_problem(bad.problem);
    if (kinds_.size() < kMostKinds || kinds_.contains(kind)) {
      Kind& same = kinds_[kind];
      if (same.rows++ == 0) same.first = bad;
    }
    if (options_.data.on_error == OnError::error)
      throw DataError(fmt::format("{} ({} leaves bad rows out)", message, options_.skip_hint));
    if (!quiet_ && rows_before_.size() < kShownBadRows) {
      log::warning("{}: row left out: {}", options_.name, message);
    }
    rows_before_.push_back(static_cast<std::uint32_t>(rows_before));
  }

  void report() const {
    const std::size_t count = rows_before_.size();
    if (quiet_ || count == 0) return;
    log::warning("{}: {} bad row{} left out (data.on_error is \"skip\"){}", options_.name,
                 format_count(static_cast<long long>(count)), count == 1 ? "" : "s",
                 count > kShownBadRows ? "; the first five are above" : "");
  }

  /// What most of them have in common, for a file without any other row.
  std::string in_common() const {
    if (kinds_.empty()) return "";
    const auto most =
        std::max_element(kinds_.begin(), kinds_.end(), [](const auto& a, const auto& b) {
          return a.second.rows != b.second.rows ? a.second.rows < b.second.rows
                                                : a.second.first.line > b.second.first.line;
        });
    const BadRow& first = most->second.first;
    const std::string share = most->second.rows == count()
                                  ? "all of them"
                                  : format_count(static_cast<long long>(most->second.rows));
    return fmt::format(", {} bad ones, {} as line {}: {}; expected {}",
                       format_count(static_cast<long long>(count())), share, first.line,
                       first.problem, first.expected);
  }

  std::vector<std::uint32_t> take() { return std::move(rows_before_); }
  std::size_t count() const { return rows_before_.size(); }

 private:
  struct Kind {
    std::size_t rows = 0;
    BadRow first;
  };
  /// `problem` without what is in quotes, and without numbers.
  static std::string kind_of_problem(const std::string& problem) {
    std::string kind;
    bool quoted = false;
    for (const char c : problem) {
      if (c == '"') quoted = !quoted;
      if (!quoted && (c < '0' || c > '9')) kind.push_back(c);
    }
    return kind;
  }

  const FileOptions& options_;
  bool quiet_;
  std::vector<std::uint32_t> rows_before_;  // of each
  std::map<std::string, Kind> kinds_;
};

/// Calls `use` for blocks of usable rows; returns for each bad row how many usable ones stand
/// before it. `findings` null: another pass over the same file reports them.
std::vector<std::uint32_t> for_each_block(const FileOptions& options, LabelResolver& labels,
                                          FileFindings* findings,
                                          const std::function<void(Block&)>& use) {
  const bool quiet = findings == nullptr;
  ReadOptions read_options;
  read_options.layout = options.layout;
  read_options.own_settings = options.own_settings;
  const auto reader = open_records(options.path, options.data, read_options);
  UnknownLabels unknown;
  BadRows bad_rows(options, quiet);
  Block block;
  Example example;
  BadRow bad;
  std::int64_t count = 0;
  const auto flush = [&] {
    if (block.texts.empty()) return;
    use(block);
    block.texts.clear();
    block.labels.clear();
    block.lines.clear();
    block.bytes = 0;
  };
  while (options.max_rows == 0 || count < options.max_rows) {
    const ReadStatus status = reader->next(example, bad);
    if (status == ReadStatus::end) break;
    if (status == ReadStatus::bad) {
      bad_rows.add(bad, count);
      continue;
    }
    auto label = labels.resolve(example, bad);
    if (!label && options.unknown_labels) {
      unknown.add(example.label, bad);
      label = -1;
    }
    if (!label) {
      if (!options.data.labels.empty()) {
        bad.expected += fmt::format(
            "; the names are those of data.labels = {}, --set data.labels= "
            "takes the labels found in the data",
            options.data.labels);
      }
      bad_rows.add(bad, count);
      continue;
    }
    ++count;
    block.bytes += example.text.size();
    block.texts.push_back(std::move(example.text));
    block.labels.push_back(*label);
    block.lines.push_back(example.line);
    if (block.texts.size() >= kBlockRows || block.bytes >= kBlockBytes) flush();
  }
  flush();
  if (count == 0) {
    const char* const found = bad_rows.count() > 0          ? "no usable rows"
                              : reader->layout() == nullptr ? "the file is empty"
                                                            : "a header and no rows";
    throw DataError(fmt::format("{}: {}{}{}", options.path.string(), found, bad_rows.in_common(),
                                bad_rows.count() == 0 ? "; expected at least one row" : ""));
  }
  bad_rows.report();
  if (!quiet) {
    findings->layout = *reader->layout();
    unknown.report(options, reader->layout(), count);
    findings->told =
        report_notes(options, reader->notes(), count) || unknown.rows > 0 || bad_rows.count() > 0;
  }
  return bad_rows.take();
}

/// See EncodedDataset::mark.
std::uint32_t mark_of(const std::string& text, std::span<const std::int32_t> ids,
                      std::int32_t unknown) {
  if (std::find(ids.begin(), ids.end(), unknown) == ids.end()) return 0;
  return static_cast<std::uint32_t>(hash64(text)) | 1U;
}

}  // namespace

std::unique_ptr<EncodedDataset> encode_file(const FileOptions& options, const Tokenizer& tokenizer,
                                            LabelResolver& labels, FileFindings* findings) {
  FileFindings unused;
  if (findings == nullptr) findings = &unused;
  auto data = std::make_unique<EncodedDataset>();
  const std::int32_t unknown = tokenizer.unknown_id();
  std::vector<std::int32_t> ids;
  std::vector<std::int64_t> offsets;
  std::vector<std::int64_t> lengths;
  CutTexts cut;
  data->set_skipped_rows(for_each_block(options, labels, findings, [&](Block& block) {
    encode_batch(tokenizer, block.texts, options.max_tokens, options.threads, ids, offsets,
                 &lengths);
    for (std::size_t i = 0; i < block.texts.size(); ++i) {
      std::span<const std::int32_t> row(ids.data() + offsets[i], ids.data() + offsets[i + 1]);
      if (const std::int64_t unread = lengths[i] - std::ssize(row); unread > 0) {
        ++cut.rows;
        cut.tokens += lengths[i];
        cut.unread_tokens += unread;
      }
      if (row.empty()) row = {&unknown, 1};
      data->append(row, block.labels[i], block.lines[i], mark_of(block.texts[i], row, unknown));
    }
  }));
  data->set_cut_texts(cut);
  return data;
}

std::unique_ptr<Tokenizer> build_vocabulary(const FileOptions& options,
                                            const TokenizerConfig& tokenizer,
                                            LabelResolver labels) {
  VocabularyBuilder builder(tokenizer);
  for_each_block(options, labels, nullptr,
                 [&](Block& block) { builder.add(block.texts, options.threads); });
  return builder.build();
}

}  // namespace diffuse
