#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "diffuse/base/error.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/eval/missed_classes.hpp"
#include "diffuse/report/svg_chart.hpp"
#include "report/html.hpp"
#include "report/sections.hpp"

namespace diffuse {
namespace {

constexpr std::size_t kLongestExcerpt = 200;
constexpr std::size_t kLongestExplained = 500;  // so that what spoke for an answer is in it
constexpr std::size_t kLongestLabel = 48;       // beside an excerpt
constexpr std::size_t kShortLabel = 24;         // stays on one line
// A table of more rows scrolls in itself.
constexpr std::size_t kMostRows = 40;
// So many have room beside the calibration.
constexpr std::size_t kFewClasses = 12;

std::string figure(const std::optional<double>& value) {
  return value ? fmt::format("{:.4f}", *value) : "n/a";
}

/// A cell with a bar of the figure's length behind it.
std::string bar_cell(const std::optional<double>& value) {
  if (!value) return "<td class=\"number\">n/a</td>";
  return fmt::format("<td class=\"number bar\" style=\"--part:{:.3f}\">{}</td>", *value,
                     figure(value));
}

std::string classes_html(const EvaluatedSet& set) {
  const std::optional<LabelFigures>& several = set.metrics.labels;
  std::string out = fmt::format(
      "<h3>Classes</h3>\n<div class=\"scroll{}\"><table class=\"classes\">\n<thead><tr><th "
      "scope=\"col\">class</th><th scope=\"col\" class=\"number\">precision</th><th scope=\"col\" "
      "class=\"number\">recall</th><th scope=\"col\" class=\"number\">F1</th><th scope=\"col\" "
      "class=\"number\">rows</th><th scope=\"col\" class=\"number\">predicted</th>{}</tr></thead>\n"
      "<tbody>\n",
      set.labels.size() > kMostRows ? " tall\" tabindex=\"0" : "",
      several ? "<th scope=\"col\" class=\"number\">threshold</th>" : "");
  if (const std::string missed = missed_classes_text(set.metrics, set.labels, set.name);
      !missed.empty())
    out.insert(0, fmt::format("<p class=\"alarm\">{}</p>\n", html_text(missed)));
  for (std::size_t c = 0; c < set.labels.size(); ++c) {
    const ClassMetrics& figures = set.metrics.classes[c];
    out += fmt::format(
        "<tr><th scope=\"row\"><bdi>{}</bdi></th>{}{}{}<td class=\"number\">{}</td><td "
        "class=\"number\">{}</td>{}</tr>\n",
        html_text(set.labels[c]), bar_cell(figures.precision), bar_cell(figures.recall),
        bar_cell(figures.f1), format_count(figures.support), format_count(figures.predicted),
        several ? fmt::format("<td class=\"number\">{:.4f}</td>", several->thresholds[c]) : "");
  }
  return out + "</tbody>\n</table></div>\n";
}

/// Line breaks and tabs as blanks: an excerpt is one paragraph.
std::string excerpt(std::string text, std::size_t most = kLongestExplained) {
  for (char& c : text) {
    if (c == '\n' || c == '\r' || c == '\t') c = ' ';
  }
  return html_text(text, most);
}

/// The text with its words marked by how much each spoke for the answer, or against it: by colour
/// and by the line below, and in numbers for whoever points at one.
std::string marked_text(const ReportedError& error) {
  constexpr double kLeast = 0.15;  // of the largest: fainter ones would not be seen
  const std::string_view text = error.text;
  double largest = 0;
  for (const TextMark& mark : error.marks) largest = std::max(largest, std::abs(mark.contribution));
  std::string out;
  std::size_t at = 0;
  for (const TextMark& mark : error.marks) {
    if (mark.begin < at || mark.end < mark.begin || mark.end > text.size())
      throw Error(fmt::format("The marks of row {} are not parts of its text.", error.row));
    const double share = largest > 0 ? mark.contribution / largest : 0;
    if (!(std::abs(share) >= kLeast)) continue;
    if (mark.end > kLongestExplained) break;
    out += excerpt(std::string(text.substr(at, mark.begin - at)));
    out += fmt::format("<mark class=\"{}\" style=\"--a:{:.2f}\" title=\"{:+.3f}\">{}</mark>",
                       share > 0 ? "for" : "against", std::abs(share), mark.contribution,
                       excerpt(std::string(text.substr(mark.begin, mark.end - mark.begin))));
    at = mark.end;
  }
  return out + excerpt(std::string(text.substr(at)), kLongestExplained - at);
}

std::string label_cell(const std::string& label) {
  const char* form = display_width(label) <= kShortLabel ? "label short" : "label";
  return fmt::format("<td class=\"{}\" title=\"{}\"><bdi>{}</bdi></td>", form, html_text(label),
                     html_text(label, kLongestLabel));
}

std::string errors_html(const EvaluatedSet& set) {
  if (set.errors.empty()) return "";
  std::string out =
      "<h3>Most confident errors</h3>\n<div class=\"scroll\"><table class=\"errors\">\n<thead><tr>"
      "<th scope=\"col\" class=\"number\">row</th><th scope=\"col\">gold</th><th "
      "scope=\"col\">predicted</th><th scope=\"col\" class=\"number\">probability</th><th "
      "scope=\"col\">text</th></tr></thead>\n<tbody>\n";
  bool marked = false;
  for (const ReportedError& error : set.errors) {
    out += fmt::format(
        "<tr><td class=\"number\">{}</td>{}{}<td class=\"number\">{:.4f}</td><td "
        "class=\"text\" dir=\"auto\">{}</td></tr>\n",
        error.row,
        label_cell(error.gold < 0 ? "(unknown class)"
                                  : set.labels[static_cast<std::size_t>(error.gold)]),
        label_cell(set.labels[static_cast<std::size_t>(error.predicted)]), error.probability,
        error.marks.empty() ? excerpt(error.text, kLongestExcerpt) : marked_text(error));
    marked = marked || !error.marks.empty();
  }
  out += "</tbody>\n</table></div>\n";
  if (marked)
    out +=
        "<p class=\"note\">Marked is what spoke <mark class=\"for\" style=\"--a:1\">for</mark> the "
        "predicted class (line below) and what spoke <mark class=\"against\" "
        "style=\"--a:1\">against</mark> it (dotted line), the stronger the deeper. Numbers, of the "
        "logit, show where the pointer rests.</p>\n";
  return out;
}

std::string card(const std::string& content) {
  return fmt::format("<div class=\"card\">{}</div>\n", content);
}

std::string split(const std::string& left, const std::string& right) {
  return fmt::format("<div class=\"split\">\n<div>\n{}</div>\n<div>\n{}</div>\n</div>\n", left,
                     right);
}

std::string calibration_html(const Metrics& metrics) {
  return card(fmt::format(
      "{}<p class=\"note\">Expected calibration error {:.4f} over {} bins. {}</p>",
      reliability_diagram_svg(metrics.calibration), metrics.ece, metrics.calibration.size(),
      metrics.labels ? "Every label of every text is one decision: its probability, and how often "
                       "the text has it."
                     : "Where a bar ends below the dashed diagonal, the model is surer than it is "
                       "right."));
}

/// What is right where only the surest answers are given.
std::string coverage_html(const EvaluatedSet& set) {
  if (set.coverage.empty()) return "";
  std::string out =
      "<h3>Where only the surest answers are given</h3>\n<div class=\"scroll\"><table>\n<thead><tr>"
      "<th scope=\"col\" class=\"number\">answered</th><th scope=\"col\" "
      "class=\"number\">accuracy</th><th scope=\"col\" class=\"number\">confidence "
      "from</th></tr></thead>\n<tbody>\n";
  for (const CoveragePoint& point : points_at_shares(set.coverage))
    out += fmt::format(
        "<tr><td class=\"number\">{:.1f} %</td><td class=\"number\">{:.2f} %</td><td "
        "class=\"number\">{:.4f}</td></tr>\n",
        100 * point.coverage, 100 * point.accuracy, point.threshold);
  return card(out + "</tbody>\n</table></div>\n");
}

/// " · always “earn” 49.47 %", or nothing.
std::string majority_fact(const EvaluatedSet& set) {
  if (!set.metrics.majority) return "";
  const auto label = static_cast<std::size_t>(set.metrics.majority->label);
  return fmt::format(" · always “{}” {:.2f} %", html_text(set.labels[label], kShortLabel),
                     100 * set.metrics.majority->accuracy);
}

void check_sizes(const EvaluatedSet& set) {
  const std::size_t classes = set.labels.size();
  const std::size_t of_metrics = set.metrics.classes.size();
  if (of_metrics != classes)
    throw Error(fmt::format("An evaluation over {} classes cannot be reported with {} label names.",
                            of_metrics, classes));
  const auto outside = [&](std::int32_t label) {
    return label < 0 || static_cast<std::size_t>(label) >= classes;
  };
  for (const ReportedError& error : set.errors) {
    if ((error.gold != -1 && outside(error.gold)) || outside(error.predicted))
      throw Error(fmt::format("The error of row {} names class {} or {}, but there are {} classes.",
                              error.row, error.gold, error.predicted, classes));
  }
}

}  // namespace

std::string evaluation_html(const EvaluatedSet& set) {
  check_sizes(set);
  const Metrics& metrics = set.metrics;
  std::string out = fmt::format(
      "<section>\n<h2>Evaluation: {}</h2>\n<p class=\"facts\">{} rows · {} {:.2f} % [{:.1f}, "
      "{:.1f}]{}{} · macro-F1 {} · mean cross-entropy {:.4f} · expected calibration error "
      "{:.4f}</p>\n",
      html_text(set.name), format_count(metrics.count),
      metrics.labels ? "all labels right" : "accuracy", 100 * metrics.accuracy,
      100 * metrics.accuracy_interval.low, 100 * metrics.accuracy_interval.high, majority_fact(set),
      metrics.labels ? fmt::format(" · micro-F1 {}", figure(metrics.labels->micro_f1)) : "",
      figure(metrics.macro_f1), metrics.mean_loss, metrics.ece);
  if (no_better_than_majority(metrics))
    out +=
        "<p class=\"alarm\">The model is right on no more rows than always answering its most "
        "frequent class would be.</p>\n";
  if (metrics.labels)  // of which none is taken for another
    return out + split(card(classes_html(set)), calibration_html(metrics)) + "</section>\n";
  const std::string confusion = card(confusion_html(set));
  const std::string classes = card(classes_html(set));
  const std::string calibration = calibration_html(metrics);
  const std::string coverage = coverage_html(set);
  // A wide matrix has the page to itself.
  const bool few = set.labels.size() <= kFewClasses;
  if (few) {
    out += split(confusion + classes + coverage, calibration);
  } else if (set.labels.size() <= kMostMatrixClasses) {
    out += confusion + split(classes + coverage, calibration);
  } else {
    out += split(confusion + coverage, calibration) + classes;
  }
  if (!set.errors.empty()) out += card(errors_html(set));
  return out + "</section>\n";
}

}  // namespace diffuse
