#include "csv_records.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "column_layout.hpp"
#include "column_names.hpp"
#include "columns.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"
#include "encoding.hpp"
#include "label_list.hpp"
#include "soft_label.hpp"

namespace diffuse {
namespace {

/// Field `index` of a line, split at every separator, without quotes and blanks around it.
std::string raw_field(std::string_view line, char separator, std::size_t index) {
  for (; index > 0; --index) {
    const std::size_t end = line.find(separator);
    if (end == std::string_view::npos) return "";
    line.remove_prefix(end + 1);
  }
  line = line.substr(0, line.find(separator));
  const std::size_t begin = line.find_first_not_of("\" \t\r");
  if (begin == std::string_view::npos) return "";
  return std::string(line.substr(begin, line.find_last_not_of("\" \t\r") - begin + 1));
}

}  // namespace

void CsvRecords::read(Entry& entry) {
  CsvRecord& record = entry.record;
  entry.status = reader_.next(record, entry.bad);
  if (entry.status != ReadStatus::row) return;
  for (std::size_t i = 0; i < record.fields.size(); ++i) {
    auto bytes = find_bad_bytes(record.fields[i], record.line, "", reader_.path());
    if (!bytes) continue;
    entry.bad = *find_bad_bytes(record.fields[i], record.line, fmt::format("in column {}", i + 1),
                                reader_.path());
    entry.status = ReadStatus::bad;
    return;
  }
}

void CsvRecords::look_ahead() {
  std::size_t bytes = 0;
  std::size_t first = 0;
  bool found = false;
  do {
    ahead_.emplace_back();
    read(ahead_.back());
    // The strings themselves, too: a row of a million separators is a million empty ones.
    for (const std::string& field : ahead_.back().record.fields)
      bytes += field.size() + sizeof(std::string);
    if (!found && ahead_.back().status == ReadStatus::row) {
      found = true;
      first = ahead_.size() - 1;
    }
  } while (ahead_.back().status != ReadStatus::end && ahead_.size() < options_.rows_ahead &&
           bytes < ReadOptions::kBytesAhead);
  if (found) decide(first);
}

void CsvRecords::decide(std::size_t first) {
  const CsvRecord& record = ahead_[first].record;
  FirstRows rows;
  rows.path = reader_.path();
  rows.line = first_line_ = record.line;
  rows.format = format_;
  rows.separator = reader_.separator();
  rows.other_separator = reader_.other_separator();
  rows.own_settings = options_.own_settings;
  rows.first = record.fields;
  for (std::size_t i = first + 1; i < ahead_.size(); ++i) {
    if (ahead_[i].status != ReadStatus::row ||
        ahead_[i].record.fields.size() != record.fields.size())
      continue;
    rows.below.push_back(&ahead_[i].record.fields);
    rows.lines.push_back(ahead_[i].record.line);
  }
  layout_ = options_.layout ? find_columns(rows, config_, *options_.layout, options_.need_label)
                            : resolve_columns(rows, config_, options_.need_label);
  if (options_.need_label && !layout_->label)
    throw DataError(fmt::format(
        "{}: what is known of the model's data (data.json) names no column of the label; expected "
        "a model that was trained on a table with one{}",
        place_of(rows), own_setting(rows, ", or --set data.label_column=N")));
  for (const std::string& column : options_.keep) {
    const auto number = column_number(column);
    if (number && *number >= 1 && *number <= rows.first.size()) {
      kept_.push_back(*number - 1);
    } else if (layout_->header) {
      kept_.push_back(require_name(rows.first, column, "--keep", "column",
                                   fmt::format("{}:{}", rows.path.string(), rows.line)));
    } else {
      throw DataError(
          fmt::format("{}:{}: there is no column {} (--keep); expected 1 to {}, as the "
                      "file has no header",
                      rows.path.string(), rows.line, column, rows.first.size()));
    }
  }
  if (!layout_->header) return;
  header_ = record.fields;
  ahead_.erase(ahead_.begin() + static_cast<std::ptrdiff_t>(first));
}

ReadStatus CsvRecords::next(Example& example, BadRow& bad) {
  for (;;) {
    if (ahead_.empty() && !layout_) look_ahead();  // again, if only bad rows were found before
    if (!ahead_.empty()) {
      entry_ = std::move(ahead_.front());
      ahead_.pop_front();
    } else {
      read(entry_);
    }
    if (entry_.status == ReadStatus::bad) bad = entry_.bad;
    if (entry_.status != ReadStatus::row) return entry_.status;
    if (header_.empty() || !same_header(entry_.record.fields, header_)) break;
    notes_.repeated_headers.push_back(entry_.record.line);
  }
  const CsvRecord& record = entry_.record;
  example.kept.clear();
  if (record.fields.size() != layout_->columns) {
    bad = {record.line,
           fmt::format("{} field{}", record.fields.size(), record.fields.size() == 1 ? "" : "s"),
           fmt::format("{} as on line {}", layout_->columns, first_line_)};
    return ReadStatus::bad;
  }
  for (const std::size_t column : kept_) example.kept.push_back({record.fields[column], true});
  texts_.clear();
  for (const ColumnRef& text : layout_->texts) texts_.push_back(record.fields[text.number - 1]);
  const std::string* label =
      options_.need_label ? &record.fields[layout_->label->number - 1] : nullptr;
  example.weight = 1;
  if (layout_->weight && options_.need_label) {
    const std::string& field = record.fields[layout_->weight->number - 1];
    const std::optional<double> weight = parse_weight(field);
    if (!weight) {
      bad = {record.line,
             fmt::format("the weight {} is \"{}\"", shown_column(*layout_->weight),
                         printable(field, 20)),
             kWeightWords};
      return ReadStatus::bad;
    }
    example.weight = *weight;
  }
  const bool several = label != nullptr && !config_.label_separator.empty();
  if (several &&
      split_labels(*label, config_.label_separator, example.labels, bad) == ReadStatus::bad) {
    bad.line = record.line;
    return ReadStatus::bad;
  }
  const ReadStatus status =
      make_example(several ? nullptr : label, texts_, record.line, example, bad);
  if (status == ReadStatus::row && label != nullptr) note_label(several ? *label : example.label);
  if (!record.raw.empty()) note_swallowed(record);
  return status;
}

/// Labels that repeat are seen once for all.
void CsvRecords::note_label(const std::string& label) {
  constexpr std::size_t kMostLabels = 10000;
  if (label == last_label_) return;
  last_label_ = label;
  if (labels_.size() < kMostLabels) labels_.insert(last_label_);
}

/// A record in quotes over several lines that each have a row's number of separators, and labels
/// where labels stand, is likely to be several rows between two stray quotes.
void CsvRecords::note_swallowed(const CsvRecord& record) {
  constexpr std::size_t kManyLines = 10;
  const char separator = reader_.separator();
  const auto fields = static_cast<std::ptrdiff_t>(layout_->columns);
  std::size_t lines = 0;
  std::size_t rows = 0;
  std::size_t labelled = 0;
  std::string_view rest = record.raw;
  for (bool last = false; !last; ++lines) {
    const std::size_t end = rest.find('\n');
    last = end == std::string_view::npos;
    const std::string_view line = rest.substr(0, end);
    if (!last) rest.remove_prefix(end + 1);
    if (std::count(line.begin(), line.end(), separator) + 1 != fields) continue;
    ++rows;
    if (lines > 0 && layout_->label &&
        labels_.contains(raw_field(line, separator, layout_->label->number - 1)))
      ++labelled;
  }
  if (fields < 2 || 10 * rows < 9 * lines) return;
  if (separator != '\t' && lines < kManyLines && 3 * labelled < lines - 1) return;
  notes_.swallowed += lines - 1;
  notes_.swallowers.push_back({record.line, record.line + static_cast<std::uint32_t>(lines) - 1});
}

}  // namespace diffuse
