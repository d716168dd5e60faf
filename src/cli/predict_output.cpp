#include "predict_output.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

#include "diffuse/base/text_util.hpp"
#include "explanation_output.hpp"
#include "json_string.hpp"

namespace diffuse::cli {
namespace {

constexpr const char* kUnsure = "#unsure";

/// A cell of one line: line breaks are written \n and \r as a tab is \t.
std::string cell(const std::string& text) {
  std::string out;
  for (const char c : escape_tsv(text)) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else {
      out += c;
    }
  }
  return out;
}

/// The `top` most probable classes, ties in class order.
std::vector<std::size_t> best_classes(std::span<const float> probabilities, std::size_t top) {
  if (top == 1) {
    const auto best = std::max_element(probabilities.begin(), probabilities.end());
    return {static_cast<std::size_t>(best - probabilities.begin())};
  }
  std::vector<std::size_t> order(probabilities.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  top = std::min(top, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(top), order.end(),
                    [&](std::size_t a, std::size_t b) {
                      if (probabilities[a] != probabilities[b])
                        return probabilities[a] > probabilities[b];
                      return a < b;
                    });
  order.resize(top);
  return order;
}

template <class... Values>
void add_formatted(std::string& out, fmt::format_string<Values...> format, Values&&... values) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Values>(values)...);
}

}  // namespace

std::string json_string(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

OutputLines::OutputLines(const Labels& labels, OutputForm form) : form_(std::move(form)) {
  const bool tsv = form_.format != OutputFormat::jsonl;
  for (const std::string& name : labels.names())
    names_.push_back(tsv ? escape_tsv(name) : json_string(name));
  for (const std::string& name : form_.keep) keys_.push_back(json_string(name) + ": ");
  separator_ = escape_tsv(form_.separator);
  keeps_label_ = std::find(form_.keep.begin(), form_.keep.end(), "label") != form_.keep.end();
}

/// `"id": "7", `: the kept values as the first members of an object.
void OutputLines::add_kept_members(std::span<const KeptValue> kept, std::string& out) const {
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    out += keys_[i];
    if (i >= kept.size()) {
      out += "null";
    } else {
      out += kept[i].is_text ? json_string(kept[i].text) : kept[i].text;
    }
    out += ", ";
  }
}

void OutputLines::add_kept_cells(std::span<const KeptValue> kept, std::string& out) const {
  for (std::size_t i = 0; i < form_.keep.size(); ++i) {
    out += '\t';
    if (i < kept.size()) out += cell(kept[i].text);
  }
}

void OutputLines::add_pair(std::size_t index, float probability, std::string& out) const {
  if (form_.format == OutputFormat::jsonl) {
    add_formatted(out, "\"label\": {}, \"probability\": {:.6f}", names_[index], probability);
  } else {
    add_formatted(out, "{}\t{:.6f}", names_[index], probability);
  }
}

/// All that stands in an object behind the answer.
void OutputLines::add_details(const Answer& answer, std::span<const std::size_t> order,
                              std::string& out) const {
  const std::span<const float> probabilities = answer.probabilities;
  add_formatted(out, "\"unknown_share\": {:.4g}", answer.unknown_share);
  for (std::size_t i = 0; order.size() > 1 && i < order.size(); ++i) {
    out += i == 0 ? ", \"top\": [{" : ", {";
    add_pair(order[i], probabilities[order[i]], out);
    out += i + 1 == order.size() ? "}]" : "}";
  }
  for (std::size_t c = 0; form_.logits && c < answer.logits.size(); ++c)
    add_formatted(out, "{}{:.9g}", c == 0 ? ", \"logits\": [" : ", ", answer.logits[c]);
  if (form_.logits && !answer.logits.empty()) out += ']';
  for (std::size_t c = 0; form_.probabilities && c < probabilities.size(); ++c)
    add_formatted(out, "{}{}: {:.6g}", c == 0 ? ", \"probabilities\": {" : ", ", names_[c],
                  probabilities[c]);
  if (form_.probabilities) out += '}';
  for (std::size_t i = 0; i < answer.explanations.size(); ++i) {
    const Explanation& explanation = answer.explanations[i];
    out += i > 0 ? ", " : several() ? ", \"explanations\": [" : ", \"explanation\": ";
    add_explanation_json({explanation, answer.text, form_.explained},
                         names_[static_cast<std::size_t>(explanation.label)], out);
  }
  if (several() && !answer.explanations.empty()) out += ']';
  out += "}\n";
}

std::vector<std::int32_t> OutputLines::explained_classes(
    std::span<const float> probabilities) const {
  std::vector<std::int32_t> classes;
  for (std::size_t c = 0; c < form_.thresholds.size(); ++c)
    if (probabilities[c] >= form_.thresholds[c]) classes.push_back(static_cast<std::int32_t>(c));
  if (classes.empty())
    classes.push_back(static_cast<std::int32_t>(best_classes(probabilities, 1).front()));
  return classes;
}

/// The cell of a tsv line.
void OutputLines::add_explanation_cells(const Answer& answer, std::string& out) const {
  if (answer.explanations.empty() || form_.format != OutputFormat::tsv) return;
  for (std::size_t i = 0; i < answer.explanations.size(); ++i) {
    const Explanation& explanation = answer.explanations[i];
    out += i == 0 ? "\t" : " | ";
    if (several()) out += names_[static_cast<std::size_t>(explanation.label)] + ": ";
    add_explanation_cell({explanation, answer.text, form_.explained}, out);
  }
}

/// The lines below one of text.
void OutputLines::add_explanations_below(const Answer& answer, std::string& out) const {
  if (form_.format != OutputFormat::text) return;
  for (const Explanation& explanation : answer.explanations) {
    const auto label = static_cast<std::size_t>(explanation.label);
    if (several())
      add_formatted(out, " {}{}:\n", names_[label],
                    answer.probabilities[label] < form_.thresholds[label] ? ", not answered" : "");
    add_explanation_lines({explanation, answer.text, form_.explained}, out);
  }
}

/// The line of a model that answers every label for which the probability is enough.
void OutputLines::add_labels(const Answer& answer, std::span<const KeptValue> kept,
                             std::string& out) const {
  const bool tsv = form_.format != OutputFormat::jsonl;
  const std::string_view between = tsv ? std::string_view(separator_) : ", ";
  std::string labels;
  std::string probabilities;
  for (std::size_t c = 0; c < names_.size(); ++c) {
    if (answer.probabilities[c] < form_.thresholds[c]) continue;
    if (!probabilities.empty()) {
      labels += between;
      probabilities += between;
    }
    labels += names_[c];
    add_formatted(probabilities, "{:.6f}", answer.probabilities[c]);
  }
  const std::vector<std::size_t> order = best_classes(answer.probabilities, form_.top);
  if (tsv) {
    out += labels + '\t' + probabilities;
    for (std::size_t i = 0; form_.top > 1 && i < order.size(); ++i) {
      out += '\t';
      add_pair(order[i], answer.probabilities[order[i]], out);
    }
    add_explanation_cells(answer, out);
    add_kept_cells(kept, out);
    out += '\n';
    add_explanations_below(answer, out);
    return;
  }
  out += '{';
  add_kept_members(kept, out);
  add_formatted(out, "\"labels\": [{}], \"label_probabilities\": [{}], ", labels, probabilities);
  add_details(answer, order, out);
}

void OutputLines::add_answer(const Answer& answer, std::span<const KeptValue> kept,
                             std::string& out) const {
  if (several()) return add_labels(answer, kept, out);
  const std::span<const float> probabilities = answer.probabilities;
  const std::vector<std::size_t> order = best_classes(probabilities, form_.top);
  const bool unsure = static_cast<double>(probabilities[order[0]]) < form_.threshold;
  if (form_.format != OutputFormat::jsonl) {
    if (unsure) add_formatted(out, "{}\t{:.6f}", kUnsure, probabilities[order[0]]);
    // Beside it the classes are still what --top asks for.
    for (std::size_t i = 0; (form_.top > 1 || !unsure) && i < order.size(); ++i) {
      if (unsure || i > 0) out += '\t';
      add_pair(order[i], probabilities[order[i]], out);
    }
    add_explanation_cells(answer, out);
    add_kept_cells(kept, out);
    out += '\n';
    add_explanations_below(answer, out);
    return;
  }
  out += '{';
  add_kept_members(kept, out);
  if (!keeps_label_) {
    if (unsure)
      add_formatted(out, "\"label\": null, \"probability\": {:.6f}", probabilities[order[0]]);
    else
      add_pair(order[0], probabilities[order[0]], out);
    out += ", ";
  }
  add_details(answer, order, out);
}

void OutputLines::add_error(std::string_view message, std::span<const KeptValue> kept,
                            std::string& out) const {
  if (form_.format != OutputFormat::jsonl) {
    add_formatted(out, "#error\t{}", message);
    add_kept_cells(kept, out);
    out += '\n';
    return;
  }
  out += '{';
  add_kept_members(kept, out);
  add_formatted(out, "\"error\": {}}}\n", json_string(std::string(message)));
}

}  // namespace diffuse::cli
