#include "diffuse/eval/report.hpp"

#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/table.hpp"
#include "diffuse/base/text_util.hpp"

namespace diffuse {
namespace {

std::string figure(const std::optional<double>& value) {
  return value ? fmt::format("{:.4f}", *value) : "n/a";
}

nlohmann::json json_figure(const std::optional<double>& value) {
  return value ? nlohmann::json(*value) : nlohmann::json();
}

std::string class_table(const Metrics& metrics, const Labels& labels) {
  using Align = Table::Align;
  Table table({"class", "precision", "recall", "F1", "support"},
              {Align::left, Align::right, Align::right, Align::right, Align::right});
  for (std::size_t c = 0; c < metrics.classes.size(); ++c) {
    const ClassMetrics& figures = metrics.classes[c];
    table.add_row({printable(labels.names()[c]), figure(figures.precision), figure(figures.recall),
                   figure(figures.f1), format_count(figures.support)});
  }
  return table.text();
}

/// Of many classes: the pairs that are confused most, instead of a matrix that nobody can read.
std::string confusion_list(const Metrics& metrics, const Labels& labels) {
  constexpr std::size_t kShown = 20;
  const std::size_t class_count = metrics.classes.size();
  std::vector<std::size_t> cells;
  for (std::size_t cell = 0; cell < metrics.confusion.size(); ++cell) {
    if (cell / class_count != cell % class_count && metrics.confusion[cell] > 0)
      cells.push_back(cell);
  }
  const auto more = [&](std::size_t a, std::size_t b) {
    return metrics.confusion[a] != metrics.confusion[b]
               ? metrics.confusion[a] > metrics.confusion[b]
               : a < b;
  };
  const std::size_t shown = std::min(kShown, cells.size());
  std::partial_sort(cells.begin(), cells.begin() + static_cast<std::ptrdiff_t>(shown), cells.end(),
                    more);
  using Align = Table::Align;
  Table table({"gold", "predicted", "rows"}, {Align::left, Align::left, Align::right});
  for (std::size_t i = 0; i < shown; ++i)
    table.add_row({printable(labels.names()[cells[i] / class_count]),
                   printable(labels.names()[cells[i] % class_count]),
                   format_count(metrics.confusion[cells[i]])});
  return fmt::format("{} pairs of classes are confused; the most frequent (--json has all):\n",
                     format_count(static_cast<long long>(cells.size()))) +
         table.text();
}

std::string confusion_table(const Metrics& metrics, const Labels& labels) {
  constexpr std::size_t kMostColumns = 30;
  const std::size_t class_count = metrics.classes.size();
  if (class_count > kMostColumns) return confusion_list(metrics, labels);
  std::vector<std::string> header = {"gold \\ predicted"};
  for (const std::string& name : labels.names()) header.push_back(printable(name));
  std::vector<Table::Align> align(class_count + 1, Table::Align::right);
  align.front() = Table::Align::left;
  Table table(header, align);
  for (std::size_t gold = 0; gold < class_count; ++gold) {
    std::vector<std::string> cells = {printable(labels.names()[gold])};
    for (std::size_t predicted = 0; predicted < class_count; ++predicted)
      cells.push_back(format_count(metrics.confusion[gold * class_count + predicted]));
    table.add_row(std::move(cells));
  }
  return table.text();
}

void check_labels(const Evaluation& evaluation, const Labels& labels) {
  if (evaluation.metrics.classes.size() != labels.names().size())
    throw Error(fmt::format("An evaluation over {} classes cannot be reported with {} label names.",
                            evaluation.metrics.classes.size(), labels.names().size()));
}

}  // namespace

std::string accuracy_line(const Metrics& metrics) {
  return fmt::format("accuracy  {:.2f} %  [{:.1f}, {:.1f}]  n = {}", 100 * metrics.accuracy,
                     100 * metrics.accuracy_interval.low, 100 * metrics.accuracy_interval.high,
                     format_count(metrics.count));
}

std::string evaluation_report(const Evaluation& evaluation, const Labels& labels) {
  check_labels(evaluation, labels);
  const Metrics& metrics = evaluation.metrics;
  std::string out = accuracy_line(metrics) + "\n";
  if (metrics.unknown_class > 0)
    out += fmt::format(
        "no class  {} of these rows: their labels are none of the model's, so they "
        "count as wrong\n",
        format_count(metrics.unknown_class));
  out += fmt::format("macro-F1  {}\n", figure(metrics.macro_f1));
  out += fmt::format("loss      {:.4f}  (mean cross-entropy)\n", metrics.mean_loss);
  out += fmt::format("ECE       {:.4f}  (15 bins)\n", metrics.ece);
  out += fmt::format("speed     {} examples/s  {} tokens/s  ({})\n",
                     format_count(static_cast<long long>(evaluation.examples_per_s)),
                     format_count(static_cast<long long>(evaluation.tokens_per_s)),
                     format_duration(evaluation.time_s));
  out += '\n';
  out += class_table(metrics, labels);
  if (out.back() != '\n') out += '\n';
  out += '\n';
  out += confusion_table(metrics, labels);
  if (out.back() != '\n') out += '\n';
  return out;
}

std::string evaluation_json(const Evaluation& evaluation, const Labels& labels) {
  check_labels(evaluation, labels);
  const Metrics& metrics = evaluation.metrics;
  nlohmann::ordered_json json;
  json["count"] = metrics.count;
  json["unknown_class"] = metrics.unknown_class;
  json["accuracy"] = metrics.accuracy;
  json["accuracy_interval"] = {metrics.accuracy_interval.low, metrics.accuracy_interval.high};
  json["macro_f1"] = json_figure(metrics.macro_f1);
  json["mean_loss"] = metrics.mean_loss;
  json["ece"] = metrics.ece;
  json["examples_per_s"] = evaluation.examples_per_s;
  json["tokens_per_s"] = evaluation.tokens_per_s;
  json["time_s"] = evaluation.time_s;
  json["classes"] = nlohmann::ordered_json::array();
  json["confusion"] = nlohmann::ordered_json::array();
  const std::size_t class_count = metrics.classes.size();
  for (std::size_t c = 0; c < class_count; ++c) {
    const ClassMetrics& figures = metrics.classes[c];
    nlohmann::ordered_json entry;
    entry["label"] = labels.names()[c];
    entry["precision"] = json_figure(figures.precision);
    entry["recall"] = json_figure(figures.recall);
    entry["f1"] = json_figure(figures.f1);
    entry["support"] = figures.support;
    entry["predicted"] = figures.predicted;
    json["classes"].push_back(std::move(entry));
    const auto begin = metrics.confusion.begin() + static_cast<std::ptrdiff_t>(c * class_count);
    json["confusion"].push_back(
        std::vector<std::int64_t>(begin, begin + static_cast<std::ptrdiff_t>(class_count)));
  }
  return json.dump(2);
}

void write_predictions(const std::filesystem::path& path, const Evaluation& evaluation,
                       const Labels& labels) {
  check_labels(evaluation, labels);
  const auto width = static_cast<std::size_t>(labels.size());
  const std::vector<std::int32_t> predicted =
      predicted_classes(evaluation.probabilities, labels.size());
  std::vector<std::string> names;
  for (const std::string& name : labels.names()) names.push_back(escape_tsv(name));
  std::string out = "row\tgold\tpredicted\tprobability\n";
  for (std::size_t row = 0; row < evaluation.gold.size(); ++row) {
    const auto best = static_cast<std::size_t>(predicted[row]);
    fmt::format_to(std::back_inserter(out), "{}\t{}\t{}\t{:.6f}\n", evaluation.rows[row],
                   evaluation.gold[row] < 0 ? std::string(kUnknownGold)
                                            : names[static_cast<std::size_t>(evaluation.gold[row])],
                   names[best], evaluation.probabilities[row * width + best]);
  }
  write_file_atomically(path, out);
}

}  // namespace diffuse
