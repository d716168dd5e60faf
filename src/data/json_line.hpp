#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace diffuse {

/// What a key of a JSON object holds, as far as it tells which keys hold the text.
enum class KeyContent { text, null, other };

/// One line of JSONL, as training data and `predict` read it.
struct JsonLine {
  nlohmann::ordered_json object;
  std::vector<std::string> keys;     ///< of the object itself, in the order of the line
  std::vector<KeyContent> contents;  ///< [i]: what key i holds
  std::string problem;               ///< empty where the line is an object with each key once
  std::string expected;
};

/// Reads `line`, which must be valid UTF-8. Never throws for any such line.
JsonLine parse_json_line(std::string_view line);

}  // namespace diffuse
