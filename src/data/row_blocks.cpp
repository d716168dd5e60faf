#include "row_blocks.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/split_texts.hpp"

namespace diffuse {
namespace {

constexpr std::size_t kBlockRows = 4096;
constexpr std::size_t kBlockBytes = std::size_t{2} << 20;
constexpr std::size_t kShownBadRows = 5;

/// `problem` without what is in quotes, and without numbers.
std::string kind_of_problem(const std::string& problem) {
  std::string kind;
  bool quoted = false;
  for (const char c : problem) {
    if (c == '"') quoted = !quoted;
    if (!quoted && (c < '0' || c > '9')) kind.push_back(c);
  }
  return kind;
}

std::string file_name(const FileOptions& options) {
  return options.path == kStdinName ? "stdin" : options.path.string();
}

std::unique_ptr<RecordReader> open_rows(const FileOptions& options) {
  ReadOptions reading;
  reading.layout = options.layout;
  reading.own_settings = options.own_settings;
  if (!options.more.empty()) {
    std::vector<std::string> files = {options.path.string()};
    files.insert(files.end(), options.more.begin(), options.more.end());
    return open_record_files(files, options.data, reading);
  }
  DataInput input(options.path);
  if (options.path == kStdinName) input = DataInput(STDIN_FILENO, "stdin");
  input.hash = options.hash;
  return open_records(input, options.data, reading);
}

}  // namespace

std::vector<std::string_view> RowBlock::texts() const { return split_texts(bytes, ends); }

void BadRows::add(const BadRow& bad) {
  const std::string message =
      fmt::format("{}:{}: {}; expected {}", bad.file.empty() ? file_name(options_) : bad.file,
                  bad.line, bad.problem, bad.expected);
  constexpr std::size_t kMostKinds = 1000;
  const std::string kind = kind_of_problem(bad.problem);
  if (kinds_.size() < kMostKinds || kinds_.contains(kind)) {
    Kind& same = kinds_[kind];
    if (same.rows++ == 0) same.first = bad;
  }
  if (options_.data.on_error == OnError::error)
    throw DataError(fmt::format("{} ({} leaves bad rows out)", message, options_.skip_hint));
  if (count_++ < kShownBadRows && !options_.quiet)
    log::warning("{}: row left out: {}", options_.name, message);
}

void BadRows::report() const {
  if (count() == 0 || options_.quiet) return;
  log::warning("{}: {} bad row{} left out (data.on_error is \"skip\"){}", options_.name,
               format_count(static_cast<long long>(count())), count() == 1 ? "" : "s",
               count() > kShownBadRows ? "; the first five are above" : "");
}

std::string BadRows::in_common() const {
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
  return fmt::format(", {} bad ones, {} as line {}{}: {}; expected {}",
                     format_count(static_cast<long long>(count())), share, first.line,
                     first.file.empty() ? "" : " of " + first.file, first.problem, first.expected);
}

RowBlocks::RowBlocks(const FileOptions& options, LabelResolver& labels)
    : options_(options), labels_(labels), reader_(open_rows(options)), bad_rows_(options) {}

/// The label's number, -1 for one that may be unknown; nothing, and why in `bad_`, else.
std::optional<std::int32_t> RowBlocks::label_of(const std::string& name, std::uint32_t line) {
  const std::optional<std::int32_t> label = labels_.resolve(name, line, bad_);
  unknown_.any_known = unknown_.any_known || label.has_value();
  if (label || !options_.unknown_labels) return label;
  bad_.file = reader_->source();
  unknown_.add(name, bad_);
  return -1;
}

/// Whether the record at hand has named the class before.
bool RowBlocks::is_named_again(std::int32_t label) {
  const auto place = static_cast<std::size_t>(label);
  if (named_in_.size() <= place) named_in_.resize(place + 1);
  return std::exchange(named_in_[place], records_) == records_;
}

/// All of the row's labels, each once.
std::optional<RowTarget> RowBlocks::several_of(const Example& example) {
  shares_.clear();
  RowTarget target(-1);
  for (const std::string& name : example.labels) {
    const std::optional<std::int32_t> label = label_of(name, example.line);
    if (!label) return std::nullopt;
    if (*label < 0 || !is_named_again(*label)) shares_.push_back({*label, 1});
    if (target.label < 0) target.label = *label;
  }
  target.weight = static_cast<float>(example.weight);
  target.shares = shares_;
  target.several = true;
  return target;
}

/// What the row wants; nothing, and why in `bad_`, if it is a bad one.
std::optional<RowTarget> RowBlocks::target_of(const Example& example) {
  if (!options_.data.label_separator.empty()) return several_of(example);
  const bool soft = !example.soft.empty();
  if (soft && !labels_.resolve_soft(example, shares_, bad_)) return std::nullopt;
  std::optional<std::int32_t> label;
  if (!example.label.empty()) {
    label = label_of(example.label, example.line);
  } else {
    label = std::max_element(shares_.begin(), shares_.end(), [](const auto& a, const auto& b) {
              return a.share < b.share;
            })->label;
  }
  if (!label) return std::nullopt;
  RowTarget target(*label);
  target.weight = static_cast<float>(example.weight);
  if (soft) target.shares = shares_;
  target.soft_only = example.label.empty();
  return target;
}

void RowBlocks::refuse_labels() const {
  const std::string source = reader_->source();
  throw DataError(fmt::format(
      "{}:{}: more than {} different labels; expected classes (is data.label_column the right "
      "one?)",
      source.empty() ? file_name(options_) : source, example_.line, LabelResolver::kMaxCollected));
}

void RowBlocks::leave_out(BadRow bad) {
  bad.file = reader_->source();
  bad_rows_.add(bad);
  missing_before_.push_back(taken_);
}

/// Which rows are usable may depend on who reads (one without weights finds no bad ones), so that
/// the part that `rows` tells ends where its first reader has ended.
bool RowBlocks::at_limit() const {
  if (options_.max_rows == 0) return false;
  return options_.rows != nullptr ? records_ >= options_.rows->size() : count_ >= options_.max_rows;
}

/// Appends the next usable row that is to be taken; false at the end.
bool RowBlocks::add_row(RowBlock& block) {
  while (!at_limit()) {
    const ReadStatus status = reader_->next(example_, bad_);
    if (status == ReadStatus::end) return false;
    const std::size_t place = records_++;
    const bool wanted =
        options_.rows == nullptr || (place < options_.rows->size() && (*options_.rows)[place]);
    if (status == ReadStatus::bad) {
      leave_out(bad_);
      continue;
    }
    if (!wanted && options_.quiet) {  // else what is wrong with it is to be told
      ++count_;
      missing_before_.push_back(taken_);
      continue;
    }
    const std::optional<RowTarget> target = target_of(example_);
    if (labels_.too_many()) refuse_labels();
    if (!target) {
      if (!options_.data.labels.empty()) {
        bad_.expected += fmt::format(
            "; the names are those of data.labels = {}, --set data.labels= "
            "takes the labels found in the data",
            options_.data.labels);
      }
      leave_out(bad_);
      continue;
    }
    ++count_;
    if (!wanted) {
      missing_before_.push_back(taken_);
      continue;
    }
    ++taken_;
    block.bytes += example_.text;
    block.ends.push_back(block.bytes.size());
    block.labels.push_back(target->label);
    block.targets.append(*target);
    block.lines.push_back(example_.line);
    block.places.push_back(static_cast<std::uint32_t>(place));
    return true;
  }
  return false;
}

void RowBlocks::read(RowBlock& block) {
  block.bytes.clear();
  block.ends.clear();
  block.labels.clear();
  block.lines.clear();
  block.places.clear();
  block.targets.clear();
  while (block.ends.size() < kBlockRows && block.bytes.size() < kBlockBytes && add_row(block)) {
  }
}

void RowBlocks::finish(FileFindings& findings) {
  if (count_ == 0) {
    const char* const found = bad_rows_.count() > 0          ? "no usable rows"
                              : !options_.more.empty()       ? "no rows, nor in the files with it"
                              : reader_->layout() == nullptr ? "the file is empty"
                                                             : "a header and no rows";
    throw DataError(fmt::format("{}: {}{}{}", file_name(options_), found, bad_rows_.in_common(),
                                bad_rows_.count() == 0 ? "; expected at least one row" : ""));
  }
  bad_rows_.report();
  findings.layout = *reader_->layout();
  unknown_.report(options_, reader_->layout(), count_);
  findings.told = report_notes(options_, reader_->notes(), count_) || unknown_.rows > 0 ||
                  bad_rows_.count() > 0;
}

}  // namespace diffuse
