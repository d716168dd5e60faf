#include "convert.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <regex>
#include <type_traits>

#include "base/json_reader.hpp"
#include "diffuse/base/text_util.hpp"

namespace diffuse {
namespace {

constexpr std::size_t kMaxPatternText = 100;
constexpr const char* kNoClassWeights = "none";
constexpr const char* kBalancedClasses = "balanced";

std::string expected(const Field& field) {
  return fmt::format("expected {} ({})", field.allowed(), field.summary());
}

std::string wrong_type(const Field& field, const Json& json) {
  const bool literal = json.is_null() || json.is_boolean();
  return literal ? fmt::format("{} is not allowed here; {}", shown(json), expected(field))
                 : fmt::format("{} is {}; {}", shown(json), kind_of(json), expected(field));
}

std::optional<std::int64_t> whole_number(const Json& json) {
  if (json.is_number_unsigned()) {
    const auto value = json.get<std::uint64_t>();
    if (value <= static_cast<std::uint64_t>(INT64_MAX)) return static_cast<std::int64_t>(value);
    return std::nullopt;
  }
  if (json.is_number_integer()) return json.get<std::int64_t>();
  const double value = json.get<double>();
  // 1e5 is a whole number too; beyond 2^53 a double no longer tells which one.
  if (value != std::floor(value) || std::abs(value) > 9007199254740992.0) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

std::optional<std::int64_t> integer_from(const Field& field, const Json& json,
                                         std::string& problem) {
  if (!json.is_number()) {
    problem = wrong_type(field, json);
    return std::nullopt;
  }
  const bool fraction =
      json.is_number_float() && json.get<double>() != std::floor(json.get<double>());
  const auto value = whole_number(json);
  if (fraction) {
    problem = fmt::format("{} is not a whole number; {}", shown(json), expected(field));
  } else if (!value || !field.in_range(static_cast<double>(*value))) {
    problem = fmt::format("{} is out of range; {}", shown(json), expected(field));
  } else {
    return value;
  }
  return std::nullopt;
}

std::optional<Value> number_from(const Field& field, const Json& json, std::string& problem) {
  if (!json.is_number()) {
    problem = wrong_type(field, json);
    return std::nullopt;
  }
  const double value = json.get<double>();
  if (!std::isfinite(value) || !field.in_range(value)) {
    problem = fmt::format("{} is out of range; {}", shown(json), expected(field));
    return std::nullopt;
  }
  return Value(value);
}

std::optional<std::string> text_from(const Field& field, const Json& json, std::string& problem) {
  if (field.number_as_text && json.is_number()) {
    const auto number = whole_number(json);
    if (number && *number >= 1) return std::to_string(*number);
    problem = fmt::format("{} is out of range; {}", shown(json), expected(field));
    return std::nullopt;
  }
  if (!json.is_string()) {
    problem = wrong_type(field, json);
    return std::nullopt;
  }
  const auto text = json.get<std::string>();
  if (invalid_utf8_at(text)) {
    problem = fmt::format("{} is not valid UTF-8; {}", shown(json), expected(field));
  } else if (text.find('\0') != std::string::npos) {
    problem = fmt::format("{} holds a NUL character; {}", shown(json), expected(field));
  } else if (!field.pattern.empty() && text.size() > kMaxPatternText) {
    // std::regex recurses for every character.
    problem = fmt::format("{} is not allowed; {}", shown(json), expected(field));
  } else if (!field.pattern.empty() && !std::regex_match(text, std::regex(field.pattern))) {
    problem = fmt::format("{} is not allowed; {}", shown(json), expected(field));
  } else {
    return text;
  }
  return std::nullopt;
}

std::optional<Value> choice_from(const Field& field, const Json& json, std::string& problem) {
  if (!json.is_string()) {
    problem = wrong_type(field, json);
    return std::nullopt;
  }
  const auto text = json.get<std::string>();
  for (const std::string& choice : field.choices) {
    if (choice == text) return Value(text);
  }
  const auto near = nearest_name(text, field.choices);
  problem = fmt::format("{} is unknown; {}{}", shown(json), expected(field),
                        near ? fmt::format("; did you mean \"{}\"?", *near) : "");
  return std::nullopt;
}

/// `json` as a list of what `one` reads. A single entry may stand without its brackets.
template <class T, class One>
std::optional<Value> list_from(const Field& field, const Json& json, std::string& problem,
                               const One& one) {
  std::vector<T> list;
  const Json entries = json.is_array() ? json : Json::array({json});
  for (const Json& entry : entries) {
    const auto value = one(field, entry, problem);
    if (!value) return std::nullopt;
    list.push_back(*value);
  }
  if (list.size() < field.min_items) {
    problem = fmt::format("{} is empty; {}", shown(json), expected(field));
    return std::nullopt;
  }
  return Value(std::move(list));
}

/// One name may stand without brackets; an empty one, or an empty list, is no file.
std::optional<Value> files_from(const Field& field, const Json& json, std::string& problem) {
  InputFiles files;
  if (json.is_array() && !json.empty()) {
    for (const Json& entry : json) {
      const auto name = text_from(field, entry, problem);
      if (!name) return std::nullopt;
      files.names.push_back(*name);
    }
    return Value(std::move(files));
  }
  if (json.is_array()) return Value(std::move(files));
  const auto name = text_from(field, json, problem);
  if (!name) return std::nullopt;
  return Value(InputFiles(*name));
}

Json files_json(const InputFiles& files) {
  if (files.names.size() > 1) return files.names;
  return files.first();
}

/// A list as JSON has it, or one name, which may hold commas and begin with a bracket.
Json files_from_text(std::string_view text) {
  if (text.starts_with('['))
    if (Json parsed = read_json<Json>(text).value; parsed.is_array()) return parsed;
  return std::string(text);
}

std::optional<Value> class_weights_from(const Field& field, const Json& json,
                                        std::string& problem) {
  ClassWeights weights;
  if (json.is_string() && json == kNoClassWeights) return Value(weights);
  if (json.is_string() && json == kBalancedClasses) {
    weights.rule = ClassWeights::Rule::balanced;
    return Value(weights);
  }
  if (!json.is_object()) {
    problem = json.is_string() ? fmt::format("{} is unknown; {}", shown(json), expected(field))
                               : wrong_type(field, json);
    return std::nullopt;
  }
  weights.rule = ClassWeights::Rule::by_name;
  for (const auto& [name, value] : json.items()) {
    const double weight = value.is_number() ? value.get<double>() : -1;
    if (!(weight >= 0 && weight <= kMostClassWeight)) {
      problem = fmt::format("\"{}\": {} is no weight; {}", printable(name), shown(value),
                            expected(field));
      return std::nullopt;
    }
    weights.by_name.emplace_back(name, weight);
  }
  if (weights.by_name.empty()) {
    problem = fmt::format("{{}} is empty; {}", expected(field));
    return std::nullopt;
  }
  return Value(std::move(weights));
}

Json class_weights_json(const ClassWeights& weights) {
  if (weights.rule == ClassWeights::Rule::none) return kNoClassWeights;
  if (weights.rule == ClassWeights::Rule::balanced) return kBalancedClasses;
  Json json = Json::object();
  for (const auto& [name, weight] : weights.by_name) json[name] = weight;
  return json;
}

/// The number that all of `text` spells, or the text.
Json number_or_text(std::string_view text) {
  std::int64_t whole = 0;
  const char* end = text.data() + text.size();
  if (const auto read = std::from_chars(text.data(), end, whole);
      read.ec == std::errc() && read.ptr == end) {
    return whole;
  }
  double number = 0;
  if (const auto read = std::from_chars(text.data(), end, number);
      read.ec == std::errc() && read.ptr == end && std::isfinite(number)) {
    return number;
  }
  return std::string(text);
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// A column: a text that spells a whole number, as people write it, is that number.
Json column_from_text(std::string_view text) {
  Json number = number_or_text(text);
  return number.is_number_integer() && number.dump() == text ? number : Json(std::string(text));
}

Json list_from_text(const Field& field, std::string_view text) {
  if (!text.empty() && text.front() == '[') {
    // What is no JSON list may be a name that begins with a bracket.
    Json parsed = read_json<Json>(text).value;
    return parsed.is_array() ? parsed : Json(std::string(text));
  }
  Json list = Json::array();
  if (text.empty()) return list;
  for (;;) {
    const std::size_t comma = text.find(',');
    const std::string_view entry = trimmed(text.substr(0, comma));
    list.push_back(field.type == FieldType::integers ? number_or_text(entry)
                   : field.number_as_text            ? column_from_text(entry)
                                                     : Json(std::string(entry)));
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  return list;
}

}  // namespace

std::optional<Value> value_from_json(const Field& field, const Json& json, std::string& problem) {
  switch (field.type) {
    case FieldType::boolean:
      if (json.is_boolean()) return Value(json.get<bool>());
      problem = wrong_type(field, json);
      return std::nullopt;
    case FieldType::integer:
      return integer_from(field, json, problem);
    case FieldType::number:
      return number_from(field, json, problem);
    case FieldType::text:
    case FieldType::path:
      return text_from(field, json, problem);
    case FieldType::choice:
      return choice_from(field, json, problem);
    case FieldType::integers:
      return list_from<std::int64_t>(field, json, problem, integer_from);
    case FieldType::texts:
    case FieldType::paths:
      return list_from<std::string>(field, json, problem, text_from);
    case FieldType::files:
      return files_from(field, json, problem);
    case FieldType::class_weights:
      return class_weights_from(field, json, problem);
  }
  return std::nullopt;
}

Json json_from_text(const Field& field, std::string_view text) {
  switch (field.type) {
    case FieldType::boolean:
      if (text == "true") return true;
      if (text == "false") return false;
      return std::string(text);
    case FieldType::integer:
    case FieldType::number:
      return number_or_text(trimmed(text));
    case FieldType::integers:
    case FieldType::texts:
    case FieldType::paths:
      return list_from_text(field, trimmed(text));
    case FieldType::files:
      return files_from_text(text);
    case FieldType::class_weights:
      // What is no JSON object is a text, which is then refused.
      if (trimmed(text).starts_with('{'))
        if (Json parsed = read_json<Json>(text).value; parsed.is_object()) return parsed;
      return std::string(trimmed(text));
    default:
      return field.number_as_text ? column_from_text(text) : Json(std::string(text));
  }
}

Json value_to_json(const Value& value) {
  if (const auto* weights = std::get_if<ClassWeights>(&value)) return class_weights_json(*weights);
  if (const auto* files = std::get_if<InputFiles>(&value)) return files_json(*files);
  return std::visit(
      [](const auto& held) {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, ClassWeights> || std::is_same_v<Held, InputFiles>)
          return Json();
        else
          return Json(held);
      },
      value);
}

}  // namespace diffuse
