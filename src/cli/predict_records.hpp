#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "diffuse/text/labels.hpp"

namespace diffuse::cli {

enum class InputFormat { text, jsonl };
enum class OutputFormat { tsv, jsonl };

/// One input line made ready: a text, or why there is none.
struct InputRecord {
  std::string text;
  std::string error;  ///< empty for a usable line
};

/// The text of one input line. `text_keys` are the keys that a JSON object may hold instead of
/// `text`, several joined by a blank, as in training data; empty: those that training would find.
/// What training refuses in a row is refused here: blank texts, invalid UTF-8, NUL.
InputRecord parse_record(std::string_view line, InputFormat format,
                         std::span<const std::string> text_keys);

/// The output line, with its line break, of a usable record: the `top` most probable classes of
/// `probabilities` ([C]), ties in class order. jsonl also gets `logits` ([C], in class order) where
/// they are not empty, with every digit of a float32.
std::string format_prediction(std::span<const float> probabilities, std::span<const float> logits,
                              const Labels& labels, std::size_t top, OutputFormat format);

/// The output line, with its line break, that stands in the place of an unusable record.
std::string format_error(std::string_view message, OutputFormat format);

}  // namespace diffuse::cli
