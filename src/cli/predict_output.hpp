#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "diffuse/data/records.hpp"
#include "diffuse/text/labels.hpp"

namespace diffuse::cli {

enum class OutputFormat { tsv, jsonl };

/// What stands in every line beside the answer.
struct OutputForm {
  OutputFormat format = OutputFormat::tsv;
  std::size_t top = 1;            ///< classes in a line, the most probable first
  bool logits = false;            ///< jsonl only
  std::vector<std::string> keep;  ///< names of the columns that are carried through
};

/// The answer to one record: [C] each, the logits in class order.
struct Answer {
  std::span<const float> probabilities;
  std::span<const float> logits;
  double unknown_share = 0;  ///< of the text's tokens
};

/// The output line, with its line break, of a usable record: the `top` most probable classes, ties
/// in class order. tsv: pairs of label and probability, then `kept`. jsonl: `kept` under the names
/// of `form.keep`, then label, probability, unknown_share, and, on request, top and logits, these
/// with every digit of a float32.
std::string format_prediction(const Answer& answer, std::span<const KeptValue> kept,
                              const Labels& labels, const OutputForm& form);

/// The output line, with its line break, that stands in the place of an unusable record. `kept` may
/// lack values.
std::string format_error(std::string_view message, std::span<const KeptValue> kept,
                         const OutputForm& form);

}  // namespace diffuse::cli
