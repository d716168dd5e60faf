#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "faults.hpp"

namespace diffuse {

using Json = nlohmann::ordered_json;

/// Parses JSON with // and /* */ comments. Syntax errors (with line and column) and keys that
/// stand twice in one object go to `faults`; null is returned after a syntax error.
Json parse_json_text(std::string_view text, const std::string& source, Faults& faults);

/// `value` as JSON on one line, cut short, safe to print.
std::string shown(const Json& value);
/// "a number", "an object", ...
std::string kind_of(const Json& value);

}  // namespace diffuse
