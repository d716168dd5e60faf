#include "diffuse/eval/paired_comparison.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/eval/report.hpp"

namespace diffuse {
namespace {

constexpr std::string_view kHeader = "row\tgold\tpredicted\tprobability";

double log_choose(std::int64_t n, std::int64_t k) {
  const auto log_factorial = [](std::int64_t x) { return std::lgamma(static_cast<double>(x) + 1); };
  return log_factorial(n) - log_factorial(k) - log_factorial(n - k);
}

double share(std::int64_t part, std::int64_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

/// One line of the file, its labels as they stand.
struct Line {
  std::uint64_t row = 0;
  std::string_view gold;
  std::string_view predicted;
};

Line parse_line(std::string_view text, const std::string& place) {
  std::array<std::string_view, 4> cells;
  std::size_t count = 0;
  for (std::size_t begin = 0; begin <= text.size(); ++count) {
    const std::size_t end = std::min(text.find('\t', begin), text.size());
    if (count < cells.size()) cells[count] = text.substr(begin, end - begin);
    begin = end + 1;
  }
  Line line{0, cells[1], cells[2]};
  const auto [end, error] =
      std::from_chars(cells[0].data(), cells[0].data() + cells[0].size(), line.row);
  if (count != cells.size() || error != std::errc() || end != cells[0].data() + cells[0].size())
    throw DataError(fmt::format(
        "{}: expected a row number, gold label, predicted label and probability with tabs between, "
        "as `diffuse eval --output` writes them.",
        place));
  return line;
}

/// Places of the labels as the file writes them.
using Classes = std::unordered_map<std::string, std::int32_t>;

Classes classes_of(const Labels& labels) {
  Classes classes;
  for (std::size_t i = 0; i < labels.names().size(); ++i)
    classes.emplace(escape_tsv(labels.names()[i]), static_cast<std::int32_t>(i));
  classes.emplace(kUnknownGold, -1);
  return classes;
}

std::int32_t class_of(std::string_view label, const Classes& classes, const std::string& place) {
  const auto found = classes.find(std::string(label));
  if (found == classes.end())
    throw DataError(
        fmt::format("{}: \"{}\" is not a label of this model.", place, printable(label)));
  return found->second;
}

DataError other_gold(const Line& line, const std::string& place) {
  return DataError(fmt::format(
      "{}: row {} has another gold label here; expected predictions of the same data file.", place,
      line.row));
}

/// Calls `visit` with each line of the file, the place of its row among `rows`, and the line's
/// name. Throws DataError for a damaged one, and unless each row has just one.
void each_line(const std::filesystem::path& path, std::span<const std::uint64_t> rows,
               const std::function<void(std::size_t, const Line&, const std::string&)>& visit) {
  std::string content;
  try {
    content = read_file(path);
  } catch (const SystemError& error) {
    throw DataError(error.what());
  }
  std::unordered_map<std::uint64_t, std::size_t> place_of;
  for (std::size_t i = 0; i < rows.size(); ++i) place_of.emplace(rows[i], i);
  std::vector<bool> seen(rows.size());
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < content.size();) {
    const std::size_t end = std::min(content.find('\n', begin), content.size());
    const std::string_view text = std::string_view(content).substr(begin, end - begin);
    begin = end + 1;
    const std::string place = fmt::format("{}:{}", path.string(), ++number);
    if (number == 1) {
      if (text != kHeader)
        throw DataError(fmt::format(
            "{}: not a file of predictions; expected the header row, gold, predicted, probability, "
            "with tabs between, as `diffuse eval --output` writes it.",
            place));
      continue;
    }
    const Line line = parse_line(text, place);
    const auto found = place_of.find(line.row);
    if (found == place_of.end())
      throw DataError(
          fmt::format("{}: row {} is not among those evaluated here; expected "
                      "predictions of the same data file.",
                      place, line.row));
    if (seen[found->second])
      throw DataError(fmt::format("{}: row {} stands twice.", place, line.row));
    seen[found->second] = true;
    visit(found->second, line, place);
  }
  const auto missing = std::find(seen.begin(), seen.end(), false);
  if (missing != seen.end())
    throw DataError(fmt::format("{}: row {} is missing; expected predictions of all {} rows.",
                                path.string(),
                                rows[static_cast<std::size_t>(missing - seen.begin())],
                                format_count(static_cast<long long>(rows.size()))));
}

}  // namespace

double PairedComparison::accuracy() const { return share(both_right + only_this_right, count()); }

double PairedComparison::other_accuracy() const {
  return share(both_right + only_other_right, count());
}

double mcnemar_p_value(std::int64_t only_first, std::int64_t only_second) {
  const std::int64_t n = only_first + only_second;
  double tail = 0;
  for (std::int64_t k = 0; k <= std::min(only_first, only_second); ++k)
    tail += std::exp(log_choose(n, k) - static_cast<double>(n) * std::log(2.0));
  return std::min(1.0, 2 * tail);
}

PairedComparison compare_predictions(std::span<const std::int32_t> predicted,
                                     std::span<const std::int32_t> other,
                                     std::span<const std::int32_t> gold) {
  if (gold.empty() || predicted.size() != gold.size() || other.size() != gold.size())
    throw Error("Two classifiers can only be compared on the same rows, at least one.");
  PairedComparison comparison;
  for (std::size_t i = 0; i < gold.size(); ++i) {
    const bool right = predicted[i] == gold[i];
    const bool other_right = other[i] == gold[i];
    std::int64_t& cell = right
                             ? (other_right ? comparison.both_right : comparison.only_this_right)
                             : (other_right ? comparison.only_other_right : comparison.both_wrong);
    ++cell;
  }
  comparison.p_value = mcnemar_p_value(comparison.only_this_right, comparison.only_other_right);
  return comparison;
}

std::vector<std::int32_t> read_predictions(const std::filesystem::path& path,
                                           std::span<const std::uint64_t> rows,
                                           std::span<const std::int32_t> gold,
                                           const Labels& labels) {
  const Classes classes = classes_of(labels);
  std::vector<std::int32_t> predicted(rows.size());
  each_line(path, rows, [&](std::size_t i, const Line& line, const std::string& place) {
    if (class_of(line.gold, classes, place) != gold[i]) throw other_gold(line, place);
    predicted[i] = class_of(line.predicted, classes, place);
  });
  return predicted;
}

std::vector<std::int32_t> right_rows(std::span<const std::uint8_t> answers, const Gold& gold) {
  std::vector<std::int32_t> right;
  const auto width = static_cast<std::size_t>(gold.classes);
  for (std::size_t i = 0; i < gold.size(); ++i)
    right.push_back(gold.unknown[i] == 0 &&
                    std::ranges::equal(answers.subspan(i * width, width), gold.row(i)));
  return right;
}

std::vector<std::int32_t> read_right_rows(const std::filesystem::path& path,
                                          std::span<const std::uint64_t> rows, const Gold& gold,
                                          const Labels& labels, const std::string& separator) {
  const Classes classes = classes_of(labels);
  const auto width = static_cast<std::size_t>(gold.classes);
  std::vector<std::uint8_t> answers(rows.size() * width);
  // Marks the labels of a cell in `to`; how many the model lacks.
  const auto mark = [&](std::string_view cell, std::span<std::uint8_t> to,
                        const std::string& place) {
    const std::string between = escape_tsv(separator);
    std::int32_t unknown = 0;
    for (std::size_t begin = 0; begin < cell.size();) {
      const std::size_t end = std::min(cell.find(between, begin), cell.size());
      const std::int32_t label = class_of(cell.substr(begin, end - begin), classes, place);
      if (label < 0)
        ++unknown;
      else
        to[static_cast<std::size_t>(label)] = 1;
      begin = end + between.size();
    }
    return unknown;
  };
  each_line(path, rows, [&](std::size_t i, const Line& line, const std::string& place) {
    std::vector<std::uint8_t> own(width);
    if (mark(line.gold, own, place) != gold.unknown[i] || !std::ranges::equal(own, gold.row(i)))
      throw other_gold(line, place);
    mark(line.predicted, std::span(answers).subspan(i * width, width), place);
  });
  return right_rows(answers, gold);
}

PairedComparison compare_right_rows(std::span<const std::int32_t> right,
                                    std::span<const std::int32_t> other) {
  return compare_predictions(right, other, std::vector<std::int32_t>(right.size(), 1));
}

std::string paired_line(const PairedComparison& comparison, const std::string& name) {
  return fmt::format(
      "against {}  {:.2f} % there, {:.2f} % here ({:+.2f} points)  only here right {}, only there "
      "{}  "
      "McNemar p = {:.2g}",
      name, 100 * comparison.other_accuracy(), 100 * comparison.accuracy(),
      100 * (comparison.accuracy() - comparison.other_accuracy()),
      format_count(comparison.only_this_right), format_count(comparison.only_other_right),
      comparison.p_value);
}

std::string paired_json(const PairedComparison& comparison, const std::string& name) {
  nlohmann::ordered_json json;
  json["name"] = name;
  json["accuracy"] = comparison.other_accuracy();
  json["both_right"] = comparison.both_right;
  json["only_this_right"] = comparison.only_this_right;
  json["only_other_right"] = comparison.only_other_right;
  json["both_wrong"] = comparison.both_wrong;
  json["mcnemar_p_value"] = comparison.p_value;
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace diffuse
