#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "field.hpp"
#include "json_text.hpp"

namespace diffuse {

/// Of train.class_weights.
inline constexpr double kMostClassWeight = 1e6;

/// `json` as a value of `field`, its type, range and choice checked. Nothing when it does not fit;
/// `problem` says then what it is and what is allowed.
std::optional<Value> value_from_json(const Field& field, const Json& json, std::string& problem);

/// What `text` (from the command line) says as JSON of `field`'s type. A text that cannot be read
/// as that type comes back as a JSON string, which `value_from_json` refuses.
Json json_from_text(const Field& field, std::string_view text);

Json value_to_json(const Value& value);
/// The same as config_json writes it: a value of a config is final, so a "${" in it, of a file's
/// name, is written "$${" and stands for itself when it is read again.
Json stored_json(const Value& value);

}  // namespace diffuse
