#include "predict_output.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "diffuse/base/text_util.hpp"

namespace diffuse::cli {
namespace {

std::string json_string(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string pair_json(const std::string& name, float probability) {
  return fmt::format("\"label\": {}, \"probability\": {:.6f}", json_string(name), probability);
}

/// `"id": "7", `: the kept values as the first members of an object.
std::string kept_json(std::span<const KeptValue> kept, const OutputForm& form) {
  std::string out;
  for (std::size_t i = 0; i < form.keep.size(); ++i) {
    std::string value = "null";
    if (i < kept.size()) value = kept[i].is_text ? json_string(kept[i].text) : kept[i].text;
    out += json_string(form.keep[i]) + ": " + value + ", ";
  }
  return out;
}

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

std::string kept_cells(std::span<const KeptValue> kept, const OutputForm& form) {
  std::string out;
  for (std::size_t i = 0; i < form.keep.size(); ++i)
    out += "\t" + (i < kept.size() ? cell(kept[i].text) : std::string());
  return out;
}

}  // namespace

std::string format_prediction(const Answer& answer, std::span<const KeptValue> kept,
                              const Labels& labels, const OutputForm& form) {
  const std::span<const float> probabilities = answer.probabilities;
  std::vector<std::size_t> order(probabilities.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const std::size_t top = std::min(form.top, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(top), order.end(),
                    [&](std::size_t a, std::size_t b) {
                      if (probabilities[a] != probabilities[b])
                        return probabilities[a] > probabilities[b];
                      return a < b;
                    });
  order.resize(top);
  std::string out;
  if (form.format == OutputFormat::tsv) {
    for (const std::size_t c : order) {
      if (!out.empty()) out += '\t';
      out += fmt::format("{}\t{:.6f}", escape_tsv(labels.names()[c]), probabilities[c]);
    }
    return out + kept_cells(kept, form) + "\n";
  }
  out += '{' + kept_json(kept, form);
  out += pair_json(labels.names()[order[0]], probabilities[order[0]]);
  out += fmt::format(", \"unknown_share\": {:.4g}", answer.unknown_share);
  if (top > 1) {
    out += ", \"top\": [";
    for (std::size_t i = 0; i < top; ++i) {
      out += (i == 0 ? "{" : ", {") + pair_json(labels.names()[order[i]], probabilities[order[i]]) +
             "}";
    }
    out += "]";
  }
  for (std::size_t c = 0; form.logits && c < answer.logits.size(); ++c)
    out += fmt::format("{}{:.9g}", c == 0 ? ", \"logits\": [" : ", ", answer.logits[c]);
  if (form.logits && !answer.logits.empty()) out += "]";
  return out + "}\n";
}

std::string format_error(std::string_view message, std::span<const KeptValue> kept,
                         const OutputForm& form) {
  if (form.format == OutputFormat::tsv)
    return fmt::format("#error\t{}{}\n", message, kept_cells(kept, form));
  return fmt::format("{{{}\"error\": {}}}\n", kept_json(kept, form),
                     json_string(std::string(message)));
}

}  // namespace diffuse::cli
