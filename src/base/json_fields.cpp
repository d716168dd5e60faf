#include "json_fields.hpp"

#include <fmt/core.h>

#include <limits>

#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"

namespace diffuse {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kCountExpected = "a whole number from 0 on";

}  // namespace

const Json* JsonFields::find(const char* key) const {
  const auto at = object_.find(key);
  return at == object_.end() ? nullptr : &*at;
}

const Json& JsonFields::require(const char* key, std::string_view expected) const {
  const Json* value = find(key);
  if (value == nullptr)
    throw DataError(fmt::format("{}: \"{}\" is missing; expected {}.", place_, key, expected));
  return *value;
}

void JsonFields::refuse(const char* key, const Json& value, std::string_view expected) const {
  // Writing out what is nested goes as deep as the file pleases.
  const std::string shown = value.is_array()    ? "a list"
                            : value.is_object() ? "an object"
                                                : value.dump();
  throw DataError(
      fmt::format("{}: \"{}\" is {}; expected {}.", place_, key, printable(shown), expected));
}

double JsonFields::number(const char* key) const {
  const Json& value = require(key, "a number");
  if (value.is_null()) return std::numeric_limits<double>::quiet_NaN();
  if (!value.is_number()) refuse(key, value, "a number");
  return value.get<double>();
}

double JsonFields::finite_number(const char* key) const {
  const Json& value = require(key, "a number");
  if (!value.is_number()) refuse(key, value, "a number");
  return value.get<double>();
}

std::optional<double> JsonFields::optional_number(const char* key) const {
  const Json* value = find(key);
  if (value == nullptr || value->is_null()) return std::nullopt;
  if (!value->is_number()) refuse(key, *value, "a number or null");
  return value->get<double>();
}

std::int64_t JsonFields::as_count(const Json& value, const char* key) const {
  // The parser takes whatever has no minus, point or exponent for unsigned.
  if (!value.is_number_unsigned() ||
      value.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()})
    refuse(key, value, kCountExpected);
  return value.get<std::int64_t>();
}

std::int64_t JsonFields::count(const char* key) const {
  return as_count(require(key, kCountExpected), key);
}

std::optional<std::int64_t> JsonFields::optional_count(const char* key) const {
  const Json* value = find(key);
  if (value == nullptr || value->is_null()) return std::nullopt;
  return as_count(*value, key);
}

std::string JsonFields::text(const char* key) const {
  const Json& value = require(key, "text");
  if (!value.is_string()) refuse(key, value, "text");
  return value.get<std::string>();
}

bool JsonFields::flag(const char* key) const {
  const Json& value = require(key, "true or false");
  if (!value.is_boolean()) refuse(key, value, "true or false");
  return value.get<bool>();
}

bool JsonFields::optional_flag(const char* key) const { return find(key) != nullptr && flag(key); }

JsonFields JsonFields::object(const char* key) const {
  const Json& value = require(key, "an object");
  if (!value.is_object()) refuse(key, value, "an object");
  return {value, fmt::format("{}: {}", place_, key)};
}

std::optional<JsonFields> JsonFields::optional_object(const char* key) const {
  const Json* value = find(key);
  if (value == nullptr || value->is_null()) return std::nullopt;
  return object(key);
}

std::optional<JsonFields> JsonFields::object_or_null(const char* key) const {
  if (require(key, "an object or null").is_null()) return std::nullopt;
  return object(key);
}

std::vector<std::int64_t> JsonFields::counts(const char* key) const {
  const Json* value = find(key);
  if (value == nullptr) return {};
  if (!value->is_array()) refuse(key, *value, "a list of numbers");
  std::vector<std::int64_t> numbers;
  for (const Json& entry : *value) numbers.push_back(as_count(entry, key));
  return numbers;
}

std::vector<std::string> JsonFields::texts(const char* key) const {
  const Json& value = require(key, "a list of texts");
  if (!value.is_array()) refuse(key, value, "a list of texts");
  std::vector<std::string> texts;
  for (const Json& entry : value) {
    if (!entry.is_string()) refuse(key, entry, "a list of texts");
    texts.push_back(entry.get<std::string>());
  }
  return texts;
}

std::vector<double> JsonFields::finite_numbers(const char* key) const {
  const Json& value = require(key, "a list of numbers");
  if (!value.is_array()) refuse(key, value, "a list of numbers");
  std::vector<double> numbers;
  for (const Json& entry : value) {
    if (!entry.is_number()) refuse(key, entry, "a list of numbers");
    numbers.push_back(entry.get<double>());
  }
  return numbers;
}

}  // namespace diffuse
