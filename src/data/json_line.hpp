#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace diffuse {

/// What a key of a JSON object holds, as far as it tells which keys hold the text.
enum class KeyContent { text, null, other };

/// One line of JSONL, as training data and `predict` read it. An object in it has at most 10,000
/// keys.
struct JsonLine {
  nlohmann::ordered_json object;
  std::vector<std::string> keys;     ///< of the object itself, in the order of the line
  std::vector<KeyContent> contents;  ///< [i]: what key i holds
  /// Empty where the line is an object with each key once, and so are those right inside of it.
  std::string problem;
  std::string expected;
};

/// Reads `line`, which must be valid UTF-8. Never throws for any such line.
JsonLine parse_json_line(std::string_view line);

}  // namespace diffuse
