#include <fmt/format.h>

#include "convert.hpp"
#include "diffuse/config/load.hpp"
#include "documents.hpp"
#include "field.hpp"
#include "json_text.hpp"
#include "substitute.hpp"

namespace diffuse {

namespace {

Json with_literal_variables(Json value) {
  if (value.is_string()) value = escape_variables(value.get<std::string>());
  if (value.is_array()) {
    for (Json& entry : value) entry = with_literal_variables(entry);
  }
  return value;
}

}  // namespace

Json stored_json(const Value& value) { return with_literal_variables(value_to_json(value)); }

std::string config_json(const Config& config) {
  Json json;
  for (const Section& section : all_sections()) {
    for (const Field& field : section.fields) {
      json[section.name][field.name] = stored_json(field.get(config));
    }
  }
  return json.dump(2);
}

std::vector<ConfigDifference> config_differences(const Config& from, const Config& to) {
  std::vector<ConfigDifference> found;
  for (const Section& section : all_sections()) {
    for (const Field& field : section.fields) {
      const Value before = field.get(from);
      const Value after = field.get(to);
      if (before == after) continue;
      found.push_back({field.key(), value_to_json(before).dump(), value_to_json(after).dump(),
                       field.may_change});
    }
  }
  return found;
}

std::string default_config_text() {
  const Config defaults;
  std::string text =
      "// Every parameter at its default. A config file needs only what differs from this. "
      "`diffuse\n"
      "// train` without a config chooses some of them by the data, and the config.json of its "
      "run\n"
      "// has them; with a config nothing is chosen.\n"
      "{\n";
  for (const Section& section : all_sections()) {
    for (const std::string& line : wrapped(section.help, 90))
      text += fmt::format("  // {}\n", line);
    text += fmt::format("  \"{}\": {{\n", section.name);
    for (const Field& field : section.fields) {
      const std::string note = fmt::format("{} [{}]", field.help, allowed_with_unit(field));
      for (const std::string& line : wrapped(note, 90)) text += fmt::format("    // {}\n", line);
      text +=
          fmt::format("    \"{}\": {}{}\n", field.name, value_to_json(field.get(defaults)).dump(),
                      &field == &section.fields.back() ? "" : ",");
    }
    text += &section == &all_sections().back() ? "  }\n" : "  },\n\n";
  }
  return text + "}\n";
}

}  // namespace diffuse
