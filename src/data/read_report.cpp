#include "read_report.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/text_util.hpp"

namespace diffuse {
namespace {

std::string per_cent(std::int64_t part, std::int64_t whole) {
  return fmt::format("{:.3g} %", 100 * static_cast<double>(part) / static_cast<double>(whole));
}

std::string counted(std::int64_t count, const char* one, const char* many) {
  return fmt::format("{} {}", format_count(count), count == 1 ? one : many);
}

}  // namespace

bool report_notes(const FileOptions& options, const ReadNotes& notes, std::int64_t rows) {
  constexpr std::size_t kShown = 3;
  if (options.quiet) return false;
  if (notes.swallowed > 0) {
    std::vector<std::string> spans;
    for (std::size_t i = 0; i < std::min(kShown, notes.swallowers.size()); ++i)
      spans.push_back(
          fmt::format("{} to {}{}", notes.swallowers[i].first, notes.swallowers[i].last,
                      notes.swallowers[i].file.empty() ? "" : " of " + notes.swallowers[i].file));
    if (notes.swallowers.size() > kShown) spans.emplace_back("…");
    const auto swallowed = static_cast<std::int64_t>(notes.swallowed);
    log::warning(
        "{}: {} between quotes look like rows of their own: {} of the file's rows may be lost in "
        "the texts of {} (lines {}); where quotes are plain characters, --set data.quote=none "
        "reads them{}",
        options.name, counted(swallowed, "line", "lines"), per_cent(swallowed, swallowed + rows),
        counted(static_cast<std::int64_t>(notes.swallowers.size()), "row", "rows"),
        join(spans, ", "), options.own_settings ? "" : ", here and in data.train");
  }
  if (const auto count = static_cast<std::int64_t>(notes.repeated_headers.size()); count > 0) {
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < std::min(kShown, notes.repeated_headers.size()); ++i)
      lines.push_back(std::to_string(notes.repeated_headers[i]));
    if (notes.repeated_headers.size() > kShown) lines.emplace_back("…");
    log::warning("{}: the header comes again and is left out there: {} (line {})", options.name,
                 counted(count, "time", "times"), join(lines, ", "));
  }
  if (!notes.empty_files.empty()) {
    std::vector<std::string> files = notes.empty_files;
    if (files.size() > kShown) files.resize(kShown, "…");
    if (notes.empty_files.size() > kShown) files.emplace_back("…");
    log::warning("{}: {} no row: {}", options.name,
                 counted(std::ssize(notes.empty_files), "file has", "files have"),
                 join(files, ", "));
  }
  return notes.swallowed > 0 || !notes.repeated_headers.empty() || !notes.empty_files.empty();
}

void UnknownLabels::add(const std::string& label, const BadRow& bad) {
  if (rows == 0) first = bad;
  if (rows == 0 || bad.line != last_line) ++rows;
  last_line = bad.line;
  constexpr std::size_t kMostCounted = 10000;
  if (counts.size() < kMostCounted || counts.contains(label)) ++counts[label];
}

void UnknownLabels::report(const FileOptions& options, const RecordLayout* layout,
                           std::int64_t all) const {
  constexpr std::size_t kShown = 5;
  if (rows == 0) return;
  if (!any_known) {
    throw DataError(fmt::format(
        "{}:{}: {}; expected {}; no row has a label that the model knows ({}): is this the column "
        "of the labels?{}",
        first.file.empty() ? options.path.string() : first.file, first.line, first.problem,
        first.expected, layout == nullptr ? "" : layout->description,
        options.own_settings ? " --set data.label_column=NAME takes another" : ""));
  }
  std::vector<std::pair<std::string, std::int64_t>> most(counts.begin(), counts.end());
  std::stable_sort(most.begin(), most.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<std::string> shown;
  for (std::size_t i = 0; i < std::min(kShown, most.size()); ++i)
    shown.push_back(
        fmt::format("\"{}\" {}", printable(most[i].first, 30), format_count(most[i].second)));
  if (most.size() > kShown) shown.emplace_back("…");
  log::warning(
      "{}: {} of {} rows ({}) have a label that the model lacks and count as wrong: {} (line {}: "
      "{})",
      options.name, format_count(rows), format_count(all), per_cent(rows, all), join(shown, ", "),
      first.line, first.problem);
}

}  // namespace diffuse
