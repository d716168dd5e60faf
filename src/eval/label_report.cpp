#include "label_report.hpp"

#include <fmt/core.h>

#include "diffuse/base/progress.hpp"
#include "diffuse/base/table.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/eval/report.hpp"

namespace diffuse {
namespace {

std::string shown(const std::optional<double>& value) {
  return value ? fmt::format("{:.4f}", *value) : "n/a";
}

nlohmann::json number_or_null(const std::optional<double>& value) {
  return value ? nlohmann::json(*value) : nlohmann::json();
}

double each(std::int64_t labels, std::int64_t rows) {
  return static_cast<double>(labels) / static_cast<double>(rows);
}

}  // namespace

std::string micro_f1_text(const LabelFigures& figures) {
  return fmt::format("{}  (precision {}, recall {})", shown(figures.micro_f1),
                     shown(figures.micro_precision), shown(figures.micro_recall));
}

std::string label_figures_lines(const Metrics& metrics) {
  const LabelFigures& figures = *metrics.labels;
  std::string out = fmt::format("micro-F1  {}\n", micro_f1_text(figures));
  out += fmt::format("wrong     {:.2f} % of {} decisions on labels  (Hamming loss)\n",
                     100 * figures.hamming_loss,
                     format_count(metrics.count * std::ssize(metrics.classes)));
  out += fmt::format("LRAP      {:.4f}  (label ranking average precision)\n",
                     figures.ranking_precision);
  out += fmt::format("labels    {:.2f} a text, {:.2f} answered\n",
                     each(figures.gold_labels, metrics.count),
                     each(figures.answered_labels, metrics.count));
  return out;
}

std::string label_table(const Metrics& metrics, const Labels& labels) {
  using Align = Table::Align;
  Table table({"label", "precision", "recall", "F1", "support", "answered", "threshold"},
              {Align::left, Align::right, Align::right, Align::right, Align::right, Align::right,
               Align::right});
  for (std::size_t c = 0; c < metrics.classes.size(); ++c) {
    const ClassMetrics& own = metrics.classes[c];
    table.add_row({printable(labels.names()[c]), shown(own.precision), shown(own.recall),
                   shown(own.f1), format_count(own.support), format_count(own.predicted),
                   fmt::format("{:.4f}", metrics.labels->thresholds[c])});
  }
  return table.text();
}

nlohmann::ordered_json label_figures_json(const LabelFigures& figures) {
  return {{"micro_f1", number_or_null(figures.micro_f1)},
          {"micro_precision", number_or_null(figures.micro_precision)},
          {"micro_recall", number_or_null(figures.micro_recall)},
          {"hamming_loss", figures.hamming_loss},
          {"lrap", figures.ranking_precision},
          {"gold_labels", figures.gold_labels},
          {"answered_labels", figures.answered_labels},
          {"unknown_labels", figures.unknown_labels}};
}

}  // namespace diffuse
