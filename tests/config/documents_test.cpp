#include <cmath>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "config/field.hpp"
#include "config/support.hpp"

namespace diffuse::testing {
namespace {

using nlohmann::json;

TEST(DefaultConfigText, ReadsBackAsTheDefaults) {
  const std::string text = default_config_text();
  EXPECT_EQ(config_json(load_text(text)), config_json(Config{}));
}

TEST(DefaultConfigText, ExplainsEveryKeyInLinesThatFit) {
  std::istringstream stream(default_config_text());
  std::string before;
  for (std::string line; std::getline(stream, line); before = line) {
    EXPECT_LE(line.size(), 100u) << line;
    if (line.starts_with("    \"")) {
      EXPECT_TRUE(before.starts_with("    // ")) << line;
      EXPECT_TRUE(before.ends_with("]")) << "allowed values missing: " << before;
    }
  }
}

TEST(Reference, PageInDocsIsTheTables) {
  std::ifstream stream(std::string(DIFFUSE_SOURCE_DIR) + "/docs/configuration.md");
  const std::string page((std::istreambuf_iterator<char>(stream)), {});
  EXPECT_TRUE(page == config_reference_markdown())
      << "docs/configuration.md differs from the parameter tables; regenerate it with\n"
         "  diffuse config --reference > docs/configuration.md";
}

TEST(Reference, HasARowForEveryKey) {
  const std::string page = config_reference_markdown();
  const json all = json::parse(config_json(Config{}));
  for (const auto& [section, object] : all.items()) {
    EXPECT_NE(page.find("\n## " + section + "\n"), std::string::npos);
    for (const auto& [name, value] : object.items()) {
      EXPECT_NE(page.find("\n| `" + name + "` | `" + value.dump() + "` | "), std::string::npos)
          << section << "." << name;
    }
  }
}

/// Whether `value` may stand by `schema`, as far as our schemas go.
bool accepts(const json& schema, const json& value) {
  if (schema.contains("anyOf")) {
    for (const json& one : schema["anyOf"]) {
      if (accepts(one, value)) return true;
    }
    return false;
  }
  const auto is = [&value](const std::string& type) {
    return (type == "string" && value.is_string()) || (type == "boolean" && value.is_boolean()) ||
           (type == "number" && value.is_number()) ||
           (type == "integer" && value.is_number() &&
            value.get<double>() == std::floor(value.get<double>())) ||
           (type == "array" && value.is_array()) || (type == "object" && value.is_object());
  };
  const json types = schema["type"].is_array() ? schema["type"] : json::array({schema["type"]});
  bool fits = false;
  for (const json& type : types) fits = fits || is(type);
  if (!fits) return false;
  if (schema.contains("enum")) {
    bool listed = false;
    for (const json& one : schema["enum"]) listed = listed || one == value;
    if (!listed) return false;
  }
  if (value.is_number()) {
    const auto number = value.get<double>();
    if (schema.contains("minimum") && number < schema["minimum"].get<double>()) return false;
    if (schema.contains("maximum") && number > schema["maximum"].get<double>()) return false;
    if (schema.contains("exclusiveMinimum") && number <= schema["exclusiveMinimum"].get<double>())
      return false;
    if (schema.contains("exclusiveMaximum") && number >= schema["exclusiveMaximum"].get<double>())
      return false;
  }
  if (value.is_object()) {
    if (schema.contains("minProperties") &&
        value.size() < schema["minProperties"].get<std::size_t>())
      return false;
    for (const auto& [name, entry] : value.items()) {
      if (!accepts(schema["additionalProperties"], entry)) return false;
    }
  }
  if (value.is_array()) {
    if (schema.contains("minItems") && value.size() < schema["minItems"].get<std::size_t>())
      return false;
    for (const json& entry : value) {
      if (!accepts(schema["items"], entry)) return false;
    }
  }
  return true;
}

class Schema : public ::testing::Test {
 protected:
  json schema_ = json::parse(config_schema());
  json property(const std::string& section, const std::string& name) {
    return schema_["properties"][section]["properties"][name];
  }
};

TEST_F(Schema, HoldsEveryKeyAndNoOther) {
  const json all = json::parse(config_json(Config{}));
  EXPECT_EQ(schema_["$schema"], "https://json-schema.org/draft/2020-12/schema");
  EXPECT_EQ(schema_["additionalProperties"], false);
  EXPECT_EQ(schema_["properties"].size(), all.size() + 1);  // and "$schema"
  for (const auto& [section, object] : all.items()) {
    const json& part = schema_["properties"][section];
    EXPECT_EQ(part["type"], "object");
    EXPECT_EQ(part["additionalProperties"], false);
    EXPECT_EQ(part["properties"].size(), object.size());
    for (const auto& [name, value] : object.items()) {
      const json one = property(section, name);
      EXPECT_EQ(one["default"], value) << section << "." << name;
      EXPECT_TRUE(accepts(one, value)) << section << "." << name << ": " << one;
      EXPECT_FALSE(accepts(one, json::object())) << section << "." << name;
      EXPECT_GT(one["description"].get<std::string>().size(), 10u);
    }
  }
}

TEST_F(Schema, AgreesWithTheLoaderOnRangesTypesAndChoices) {
  const std::vector<json> values = {
      -2,    -1,   0,        1,          2.5,           1e10,        true,
      "3e",  "a",  "auto",   "mean",     json::array(), {1},         {0},
      {"a"}, "0u", "cuda:1", "balanced", {{"a", 1}},    {{"a", -1}}, {{"a", "b"}}};
  for (const diffuse::Section& section : all_sections()) {
    for (const Field& field : section.fields) {
      for (const json& value : values) {
        json file;
        file[section.name][field.name] = value;
        std::string error;
        try {
          load_text(file.dump());
        } catch (const ConfigError& caught) {
          error = caught.what();
        }
        // Combinations and patterns are beyond `accepts`.
        const bool fits = error.find("; expected " + field.allowed()) == std::string::npos ||
                          error.find("is not allowed; ") != std::string::npos;
        EXPECT_EQ(accepts(property(section.name, field.name), value), fits)
            << field.key() << " = " << value << "\n"
            << error;
      }
    }
  }
}

TEST_F(Schema, TextsOfAFormHaveAPattern) {
  EXPECT_EQ(property("train", "length")["pattern"],
            "^(auto|[0-9]+(\\.[0-9]+)?[em]|[0-9]+u)$|\\$\\{");
  EXPECT_EQ(property("train", "device")["pattern"], "^(auto|cpu|cuda(:[0-9]{1,3})?)$|\\$\\{");
  EXPECT_EQ(property("model", "pooling")["enum"], (json{"mean", "max", "mean_max"}));
}

TEST(Tables, KeysAndHelpAreWellFormed) {
  std::set<std::string> keys;
  for (const diffuse::Section& section : all_sections()) {
    for (const Field& field : section.fields) {
      EXPECT_TRUE(keys.insert(field.key()).second) << field.key();
      EXPECT_TRUE(field.help.ends_with(".")) << field.key();
      EXPECT_EQ(field.help.find("  "), std::string::npos) << field.key();
      EXPECT_EQ(field.help.find('\n'), std::string::npos) << field.key();
    }
  }
}

}  // namespace
}  // namespace diffuse::testing
