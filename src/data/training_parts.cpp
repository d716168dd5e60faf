#include "training_parts.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/data/gold.hpp"
#include "diffuse/data/summary.hpp"
#include "equal_texts.hpp"
#include "label_checks.hpp"
#include "split.hpp"

namespace diffuse {

void check_reserved_names(const Labels& labels, const std::string& path) {
  for (const auto& [name, meaning] :
       {std::pair{"#error", "a line that predict cannot use"},
        std::pair{"#unsure", "an answer that predict is unsure of"},
        std::pair{kUnknownGold, "a label that the model lacks, in eval's predictions"}}) {
    if (!labels.find(name)) continue;
    throw DataError(
        fmt::format("{}: a class is called \"{}\", which stands for {}; expected another name",
                    path, name, meaning));
  }
}

void check_classes(const EncodedDataset& data, const Labels& labels, const std::string& path,
                   bool named, const std::string& separator) {
  const std::vector<std::int64_t> counts = count_classes(view_all(data), labels.size());
  const auto used = std::count_if(counts.begin(), counts.end(), [](auto n) { return n > 0; });
  if (used < 2 && data.several_labels())
    throw DataError(fmt::format(
        "{}: {} label in {} row{}; expected at least two (is data.label_column the right "
        "one, and data.label_separator what stands between the labels?)",
        path, used == 0 ? "no" : "only one", format_count(std::ssize(view_all(data).rows)),
        data.size() == 1 ? "" : "s"));
  if (used < 2) {
    const auto only = std::find_if(counts.begin(), counts.end(), [](auto n) { return n > 0; });
    throw DataError(fmt::format(
        "{}: {} the label \"{}\"; expected at least two classes (is "
        "data.label_column the right one?)",
        path,
        data.size() == 1
            ? "the only row has"
            : fmt::format("all {} rows have", format_count(static_cast<long long>(data.size()))),
        labels.name(only - counts.begin())));
  }
  for (const std::string& name : labels.names()) {
    if (separator.empty() || name.find(separator) == std::string::npos) continue;
    throw DataError(fmt::format(
        "{}: the class \"{}\" of data.labels holds data.label_separator \"{}\"; expected "
        "names without it",
        path, printable(name), printable(separator)));
  }
  check_reserved_names(labels, path);
  // With few rows every class may be a rare one; with more, the labels must be something else.
  constexpr std::size_t kFewRows = 10;
  if (!named && data.size() >= kFewRows && 2 * labels.names().size() > data.size()) {
    throw DataError(fmt::format(
        "{}: {} different labels in {} rows; is data.label_column the right one? --set "
        "data.label_column=NAME names another; where the first row holds the names of the columns, "
        "--set data.header=yes says so",
        path, format_count(labels.size()), format_count(static_cast<long long>(data.size()))));
  }
  const std::int32_t first = data.label(0);
  const auto singles = std::count(counts.begin(), counts.end(), 1);
  if (!named && first >= 0 && counts.size() > 2 && counts[static_cast<std::size_t>(first)] == 1 &&
      singles == 1) {
    log::warning(
        "{}: no other row has the label \"{}\" of the first; if that row names the columns, set "
        "data.header to \"yes\"",
        path, labels.name(first));
  }
  warn_of_look_alikes("data.train", labels, counts);
  warn_of_separator(data, labels, path, separator);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) {
      log::warning("data.train: no row has the label \"{}\"",
                   labels.name(static_cast<std::int64_t>(i)));
    }
  }
}

std::vector<bool> validation_rows(std::span<const std::int32_t> labels,
                                  std::span<const std::uint64_t> texts, double fraction,
                                  std::int64_t seed, bool told) {
  const std::size_t rows = labels.size();
  if (fraction >= 0) {
    std::vector<bool> chosen = split_stratified(labels, texts, fraction, seed);
    if (fraction > 0 && !told && std::ranges::find(chosen, true) == chosen.end())
      log::warning("data.validation_fraction = {} of {} rows leaves no row for validation",
                   fraction, rows);
    return chosen;
  }
  constexpr double kFraction = 0.05;
  constexpr double kMostFraction = 0.10;     // where each of many classes takes a row
  constexpr std::size_t kFewestRows = 2000;  // 100 of them choose
  if (rows >= kFewestRows) {
    std::vector<bool> chosen = split_stratified(labels, texts, kFraction, seed);
    if (static_cast<double>(std::ranges::count(chosen, true)) <=
        kMostFraction * static_cast<double>(rows))
      return chosen;
  }
  if (!told)
    log::info(
        "data.train: {} rows are too few to choose a checkpoint by some of them: all are trained "
        "on, and the last checkpoint is the result (data.validation_fraction)",
        format_count(static_cast<long long>(rows)));
  return std::vector<bool>(rows);
}

RowSplit split_off_validation(const EncodedDataset& data, double fraction, std::int64_t seed,
                              bool told) {
  RowSplit split{view_all(data), {&data, {}}};
  if (fraction == 0) return split;
  std::vector<std::int32_t> labels(data.size());
  for (std::size_t i = 0; i < data.size(); ++i) labels[i] = data.label(i);
  const std::vector<bool> chosen = validation_rows(labels, text_keys(data), fraction, seed, told);
  for (const std::uint32_t row : std::exchange(split.train.rows, {}))
    (chosen[row] ? split.validation : split.train).rows.push_back(row);
  return split;
}

DataSummary summarize_all(const TrainingData& loaded, const TokenizerConfig& tokenizer,
                          const char* test_name) {
  const std::int32_t unknown = loaded.tokenizer->unknown_id();
  const auto part = [&](const char* name, const DatasetView& view, const EncodedDataset* own) {
    const bool whole = own != nullptr;
    return summarize(name, view, unknown, tokenizer, whole);
  };
  DataSummary summary;
  summary.train = part("data.train", loaded.train, loaded.train_file.get());
  summary.validation = part("data.validation", loaded.validation, loaded.validation_file.get());
  summary.test = part(test_name, loaded.test, loaded.test_file.get());
  const auto compare = [](PartSummary& own, const DatasetView& view, const DatasetView& train) {
    const SharedTexts shared = count_shared_texts(view, train);
    own.training_rows = shared.rows;
    own.relabelled_rows = shared.relabelled;
  };
  compare(summary.validation, loaded.validation, loaded.train);
  compare(summary.test, loaded.test, view_all(*loaded.train_file));
  if (loaded.validation.size() > 0) {
    const auto validated = count_classes(loaded.validation, loaded.labels.size());
    for (std::size_t c = 0; c < validated.size(); ++c) {
      if (validated[c] == 0 && loaded.facts.class_rows[c] > 0)
        summary.unvalidated_classes.push_back(static_cast<std::int32_t>(c));
    }
  }
  return summary;
}

}  // namespace diffuse
