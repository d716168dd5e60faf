#include <cmath>

#include "convert.hpp"
#include "diffuse/config/load.hpp"
#include "documents.hpp"
#include "field.hpp"
#include "json_text.hpp"

namespace diffuse {
namespace {

Json number_schema(const Field& field, const char* type) {
  Json schema = {{"type", type}};
  const auto bound = [&](const char* closed, const char* open, double value, bool is_open) {
    if (!std::isfinite(value)) return;
    const char* key = is_open ? open : closed;
    if (value == std::floor(value) && std::abs(value) < 1e15) {
      schema[key] = static_cast<std::int64_t>(value);
    } else {
      schema[key] = value;
    }
  };
  bound("minimum", "exclusiveMinimum", field.low, field.low_open);
  bound("maximum", "exclusiveMaximum", field.high, field.high_open);
  return schema;
}

Json text_schema(const Field& field) {
  Json schema = {{"type", "string"}};
  if (!field.pattern.empty()) {
    // A variable may stand for all or part of it.
    schema["pattern"] = field.pattern + "|\\$\\{";
  }
  if (field.number_as_text) {
    schema = {{"type", {"string", "integer"}}, {"minimum", 1}};
  }
  return schema;
}

/// The list, or its only entry.
Json list_schema(const Field& field, const Json& entry) {
  Json list = {{"type", "array"}, {"items", entry}};
  if (field.min_items > 0) list["minItems"] = field.min_items;
  return {{"anyOf", {list, entry}}};
}

Json value_schema(const Field& field) {
  switch (field.type) {
    case FieldType::boolean:
      return {{"type", "boolean"}};
    case FieldType::integer:
      return number_schema(field, "integer");
    case FieldType::number:
      return number_schema(field, "number");
    case FieldType::text:
    case FieldType::path:
      return text_schema(field);
    case FieldType::choice:
      return {{"type", "string"}, {"enum", field.choices}};
    case FieldType::integers:
      return list_schema(field, number_schema(field, "integer"));
    case FieldType::texts:
    case FieldType::paths:
      return list_schema(field, text_schema(field));
    case FieldType::files:
      return {{"anyOf", {text_schema(field), list_schema(field, text_schema(field))}}};
    case FieldType::class_weights:
      return {{"anyOf",
               {{{"type", "string"}, {"enum", {"none", "balanced"}}},
                {{"type", "object"},
                 {"minProperties", 1},
                 {"additionalProperties",
                  {{"type", "number"}, {"minimum", 0}, {"maximum", kMostClassWeight}}}}}}};
  }
  return {};
}

Json object_schema(const std::string& help) {
  return {{"type", "object"},
          {"description", help},
          {"additionalProperties", false},
          {"properties", Json::object()}};
}

}  // namespace

std::string config_schema() {
  const Config defaults;
  Json root = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
               {"title", "diffuse configuration"}};
  root.update(object_schema("Every key may be left out; it then has its default."));
  root["properties"]["$schema"] = {{"type", "string"}};
  for (const Section& section : all_sections()) {
    Json object = object_schema(section.help);
    for (const Field& field : section.fields) {
      Json schema = value_schema(field);
      schema["description"] = field.unit.empty() ? field.help : field.help + " Unit: " + field.unit;
      schema["default"] = value_to_json(field.get(defaults));
      object["properties"][field.name] = std::move(schema);
    }
    root["properties"][section.name] = std::move(object);
  }
  return root.dump(2);
}

}  // namespace diffuse
