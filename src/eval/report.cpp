#include "diffuse/eval/report.hpp"

#include "diffuse/eval/coverage.hpp"

#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <span>

#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/table.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/eval/label_answers.hpp"
#include "diffuse/eval/missed_classes.hpp"
#include "label_report.hpp"

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
  const std::vector<ConfusionCell> cells = confusions(metrics);
  using Align = Table::Align;
  Table table({"gold", "predicted", "rows"}, {Align::left, Align::left, Align::right});
  for (const ConfusionCell& cell : std::span(cells).first(std::min(kShown, cells.size())))
    table.add_row({printable(labels.name(cell.gold)), printable(labels.name(cell.predicted)),
                   format_count(cell.rows)});
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
      cells.push_back(format_count(confused_rows(metrics, gold, predicted)));
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
  return fmt::format("accuracy  {:.2f} %  [{:.1f}, {:.1f}]  n = {}{}", 100 * metrics.accuracy,
                     100 * metrics.accuracy_interval.low, 100 * metrics.accuracy_interval.high,
                     format_count(metrics.count),
                     metrics.labels ? "  (all of a text's labels right)" : "");
}

std::string majority_text(const Metrics& metrics, const Labels& labels) {
  if (!metrics.majority) return "n/a";
  return fmt::format("{:.2f} %  (always \"{}\", the most frequent class in training)",
                     100 * metrics.majority->accuracy,
                     printable(labels.name(metrics.majority->label)));
}

std::string branches_text(const BranchFigures& figures) {
  if (!figures.network_accuracy)
    return fmt::format("n-grams {:.2f} %, no network  (factor {:.3g})",
                       100 * figures.ngram_accuracy, figures.factors.ngrams);
  return fmt::format(
      "n-grams {:.2f} %, network {:.2f} %  (each by itself; factors {:.3g} and {:.3g})",
      100 * figures.ngram_accuracy, 100 * *figures.network_accuracy, figures.factors.ngrams,
      figures.factors.network);
}

std::string majority_warning(const Metrics& metrics, const Labels& labels,
                             const std::string& name) {
  if (!no_better_than_majority(metrics)) return "";
  return fmt::format(
      "the model is no better than its most frequent class: {:.2f} % of the {} rows are right, and "
      "{:.2f} % would be by always answering \"{}\"",
      100 * metrics.accuracy, name, 100 * metrics.majority->accuracy,
      printable(labels.name(metrics.majority->label)));
}

std::string evaluation_report(const Evaluation& evaluation, const Labels& labels) {
  check_labels(evaluation, labels);
  const Metrics& metrics = evaluation.metrics;
  std::string out = accuracy_line(metrics) + "\n";
  if (metrics.unknown_class > 0)
    out += fmt::format("no class  {} of these rows: {}, so they count as wrong\n",
                       format_count(metrics.unknown_class),
                       metrics.labels ? fmt::format("they have labels that are none of the model's "
                                                    "({} in all)",
                                                    format_count(metrics.labels->unknown_labels))
                                      : "their labels are none of the model's");
  if (metrics.majority) out += "majority  " + majority_text(metrics, labels) + "\n";
  if (evaluation.branches) out += "branches  " + branches_text(*evaluation.branches) + "\n";
  if (metrics.labels) out += label_figures_lines(metrics);
  out += fmt::format("macro-F1  {}\n", figure(metrics.macro_f1));
  out += fmt::format("loss      {:.4f}  ({})\n", metrics.mean_loss,
                     metrics.labels ? "mean over texts of the labels' cross-entropies together"
                                    : "mean cross-entropy");
  out +=
      fmt::format("ECE       {:.4f}  (15 bins{})\n", metrics.ece,
                  evaluation.calibration ? fmt::format("; {:.4f} without its temperature of {:.3g}",
                                                       evaluation.calibration->ece_before,
                                                       evaluation.calibration->temperature)
                                         : "");
  if (evaluation.data) out += fmt::format("read      {}\n", part_text(*evaluation.data));
  out += fmt::format("speed     {} examples/s  {} tokens/s  ({})\n",
                     format_count(static_cast<long long>(evaluation.examples_per_s)),
                     format_count(static_cast<long long>(evaluation.tokens_per_s)),
                     format_duration(evaluation.time_s));
  out += '\n';
  if (metrics.labels) return out + label_table(metrics, labels);
  out += class_table(metrics, labels);
  if (out.back() != '\n') out += '\n';
  out += '\n';
  out += confusion_table(metrics, labels);
  if (out.back() != '\n') out += '\n';
  out += "\nwhere only the surest answers are given:\n";
  out += coverage_table(coverage_curve(evaluation.probabilities, evaluation.gold, labels.size()));
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
  json["majority"] = nullptr;
  if (metrics.majority) {
    json["majority"] = {{"label", labels.name(metrics.majority->label)},
                        {"accuracy", metrics.majority->accuracy}};
  }
  json["branches"] = nullptr;
  if (evaluation.branches) {
    const BranchFigures& branches = *evaluation.branches;
    json["branches"] = {{"ngram_accuracy", branches.ngram_accuracy},
                        {"network_accuracy", json_figure(branches.network_accuracy)},
                        {"ngram_factor", branches.factors.ngrams},
                        {"network_factor", branches.factors.network}};
  }
  json["macro_f1"] = json_figure(metrics.macro_f1);
  json["missed_classes"] = nlohmann::ordered_json::array();
  for (const std::int32_t c : missed_classes(metrics))
    json["missed_classes"].push_back(labels.name(c));
  if (metrics.labels) json["labels"] = label_figures_json(*metrics.labels);
  json["mean_loss"] = metrics.mean_loss;
  json["ece"] = metrics.ece;
  json["calibration"] = nullptr;
  if (evaluation.calibration)
    json["calibration"] = {{"temperature", evaluation.calibration->temperature},
                           {"ece_before", evaluation.calibration->ece_before}};
  json["examples_per_s"] = evaluation.examples_per_s;
  json["tokens_per_s"] = evaluation.tokens_per_s;
  json["time_s"] = evaluation.time_s;
  json["data"] = nullptr;
  if (evaluation.data) {
    const PartSummary& data = *evaluation.data;
    const nlohmann::ordered_json shared =
        data.training_rows ? nlohmann::ordered_json(*data.training_rows) : nullptr;
    json["data"] = {{"tokens", data.tokens},
                    {"unknown_tokens", data.unknown_tokens},
                    {"cut_rows", data.cut.rows},
                    {"unread_tokens", data.cut.unread_tokens},
                    {"bad_rows", data.bad_rows},
                    {"training_rows", shared},
                    {"ambiguous_texts", data.ambiguous.texts}};
  }
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
    if (metrics.labels) entry["threshold"] = metrics.labels->thresholds[c];
    json["classes"].push_back(std::move(entry));
  }
  json["coverage"] = nlohmann::ordered_json::array();
  if (metrics.labels) return json.dump(2);
  constexpr std::size_t kPoints = 20;
  for (const CoveragePoint& point :
       coverage_curve(evaluation.probabilities, evaluation.gold, labels.size(), kPoints))
    json["coverage"].push_back({{"coverage", point.coverage},
                                {"accuracy", point.accuracy},
                                {"threshold", point.threshold}});
  for (const ConfusionCell& cell : metrics.confusion)
    json["confusion"].push_back({cell.gold, cell.predicted, cell.rows});
  return json.dump(2);
}

namespace {

/// The rows of several labels, behind the header.
std::string several_predictions(const Evaluation& evaluation,
                                const std::vector<std::string>& names) {
  const SeveralAnswers& several = *evaluation.several;
  const std::size_t width = names.size();
  const std::string separator = escape_tsv(several.separator);
  std::string out;
  for (std::size_t row = 0; row < evaluation.rows.size(); ++row) {
    const auto answers = std::span(several.answers).subspan(row * width, width);
    std::string gold = joined_labels(several.gold.row(row), names, separator);
    for (std::int32_t i = 0; i < several.gold.unknown[row]; ++i)
      gold += (gold.empty() ? "" : separator) + kUnknownGold;
    std::string probabilities;
    for (std::size_t c = 0; c < width; ++c) {
      if (answers[c] == 0) continue;
      if (!probabilities.empty()) probabilities += separator;
      probabilities += fmt::format("{:.6f}", evaluation.probabilities[row * width + c]);
    }
    out += fmt::format("{}\t{}\t{}\t{}\n", evaluation.rows[row], gold,
                       joined_labels(answers, names, separator), probabilities);
  }
  return out;
}

}  // namespace

void write_predictions(const std::filesystem::path& path, const Evaluation& evaluation,
                       const Labels& labels) {
  check_labels(evaluation, labels);
  std::vector<std::string> names;
  for (const std::string& name : labels.names()) names.push_back(escape_tsv(name));
  std::string out = "row\tgold\tpredicted\tprobability\n";
  if (evaluation.several)
    return write_file_atomically(path, out + several_predictions(evaluation, names));
  const auto width = static_cast<std::size_t>(labels.size());
  const std::vector<std::int32_t> predicted =
      predicted_classes(evaluation.probabilities, labels.size());
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
