#include "tuning_journal.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/json_fields.hpp"
#include "base/json_reader.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/log.hpp"

namespace diffuse::cli {
namespace fs = std::filesystem;
namespace {

constexpr const char* kTuningFile = "autotune.json";
constexpr std::size_t kBitsADigit = 4;
constexpr std::string_view kDigits = "0123456789abcdef";

/// Four rows a hexadecimal digit, the first one its lowest bit.
std::string digits_of(const std::vector<std::uint8_t>& right) {
  std::string text((right.size() + kBitsADigit - 1) / kBitsADigit, '0');
  std::vector<unsigned> values(text.size(), 0);
  for (std::size_t i = 0; i < right.size(); ++i)
    if (right[i] != 0) values[i / kBitsADigit] |= 1U << (i % kBitsADigit);
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = kDigits[values[i]];
  return text;
}

std::vector<std::uint8_t> rows_of(const std::string& digits, std::size_t rows,
                                  const std::string& place) {
  if (digits.size() != (rows + kBitsADigit - 1) / kBitsADigit ||
      digits.find_first_not_of(kDigits) != std::string::npos)
    throw DataError(fmt::format("{}: right is no list of {} rows.", place, rows));
  std::vector<std::uint8_t> right(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    const std::size_t value = kDigits.find(digits[i / kBitsADigit]);
    right[i] = (value >> (i % kBitsADigit)) & 1U;
  }
  return right;
}

std::string line_of(const TuningTrial& trial) {
  const nlohmann::ordered_json json = {
      {"candidate", trial.candidate},
      {"rung", trial.rung},
      {"fold", trial.fold},
      {"changes", trial.changes},
      {"accuracy", trial.accuracy},
      {"macro_f1", trial.macro_f1 ? nlohmann::ordered_json(*trial.macro_f1) : nullptr},
      {"loss", trial.loss},
      {"updates", trial.updates},
      {"time_s", trial.time_s},
      {"rows", trial.right.size()},
      {"right", digits_of(trial.right)}};
  return json.dump() + "\n";
}

TuningTrial trial_of(const std::string& line, const std::string& place) {
  const nlohmann::json json = read_json_object(line, place);
  const JsonFields fields(json, place);
  const auto number = [&](const char* key) { return static_cast<std::size_t>(fields.count(key)); };
  return {.candidate = number("candidate"),
          .rung = number("rung"),
          .fold = number("fold"),
          .changes = fields.text("changes"),
          .accuracy = fields.finite_number("accuracy"),
          .macro_f1 = fields.optional_number("macro_f1"),
          .loss = fields.finite_number("loss"),
          .right = rows_of(fields.text("right"), number("rows"), place),
          .updates = fields.count("updates"),
          .time_s = fields.finite_number("time_s")};
}

}  // namespace

void write_tuning_settings(const fs::path& run_dir, const TuningSettings& settings) {
  const nlohmann::ordered_json json = {{"budget", settings.budget},
                                       {"fixed", settings.fixed},
                                       {"chosen", settings.chosen},
                                       {"changes", settings.changes}};
  write_file_atomically(run_dir / kTuningFile, json.dump(2) + "\n");
}

std::optional<TuningSettings> read_tuning_settings(const fs::path& run_dir) {
  const fs::path file = run_dir / kTuningFile;
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return std::nullopt;
  const nlohmann::json json = read_json_object(read_file(file), file.string());
  const JsonFields fields(json, file.string());
  return TuningSettings{.budget = fields.text("budget"),
                        .fixed = fields.texts("fixed"),
                        .chosen = fields.flag("chosen"),
                        .changes = fields.text("changes")};
}

bool TuningTrial::same_place(const TuningTrial& other) const {
  return candidate == other.candidate && rung == other.rung && fold == other.fold &&
         changes == other.changes;
}

TuningJournal::TuningJournal(fs::path path) : path_(std::move(path)) {
  std::error_code ignored;
  if (!fs::is_regular_file(path_, ignored)) return;
  const std::string text = read_file(path_);
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) break;
    const std::string line = text.substr(begin, end - begin);
    left_.push_back(trial_of(line, fmt::format("{}:{}", path_.string(), ++number)));
    lines_.push_back(line + "\n");
    begin = end + 1;
  }
}

std::optional<TuningTrial> TuningJournal::next(const TuningTrial& place) {
  if (left_.empty()) return std::nullopt;
  if (!left_.front().same_place(place)) {
    log::warning(
        "{}: from its line {} on the search goes another way than before; what was measured there "
        "is measured anew.",
        path_.string(), std::count(kept_.begin(), kept_.end(), '\n') + 1);
    left_.clear();
    lines_.clear();
    return std::nullopt;
  }
  TuningTrial trial = std::move(left_.front());
  kept_ += lines_.front();
  left_.pop_front();
  lines_.pop_front();
  return trial;
}

void TuningJournal::add(const TuningTrial& trial) {
  kept_ += line_of(trial);
  write_file_atomically(path_, kept_);
}

}  // namespace diffuse::cli
