#include "diffuse/config/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "conflicts.hpp"
#include "convert.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/text_util.hpp"
#include "faults.hpp"
#include "field.hpp"
#include "resolve.hpp"
#include "training_files.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCommandLine = "command line";

/// A configuration while it is put together from its sources.
class Loader {
 public:
  /// Lays the JSON text of the file `source` over what is there. Relative paths are left alone
  /// when `folder` is empty, and then variables are not replaced either (a stored config).
  void lay_json(std::string_view text, const std::string& source, const fs::path& folder);
  void lay_overrides(const Overrides& overrides);
  /// Checks combinations and throws everything found. `name` stands for what no source set.
  Config finish(const std::string& name, bool warn, FileChecks files);

 private:
  void lay_section(const std::string& name, const Json& object, const std::string& source,
                   const fs::path& folder);
  void lay_value(const Field& field, Json json, const std::string& source, const ValueSource& from);
  void fail(const std::string& source, const std::string& key, const std::string& message);
  std::string origin(const Conflict& conflict, const std::string& name) const;

  Config config_;
  Faults faults_;
  std::map<std::string, std::string> origins_;
  std::set<std::string> faulty_;
  bool readable_ = true;  // false if a text was no JSON object, so that nothing is known of it
};

void Loader::fail(const std::string& source, const std::string& key, const std::string& message) {
  faults_.add(source, key, message);
  faulty_.insert(key);
}

void Loader::lay_value(const Field& field, Json json, const std::string& source,
                       const ValueSource& from) {
  std::string problem;
  const auto value = resolve_value(field, std::move(json), from, problem);
  if (!problem.empty()) {
    fail(source, field.key(), problem);
    return;
  }
  field.set(config_, *value);
  origins_[field.key()] = source;
}

void Loader::lay_section(const std::string& name, const Json& object, const std::string& source,
                         const fs::path& folder) {
  const Section* section = find_section(name);
  if (section == nullptr) {
    std::vector<std::string> names;
    for (const Section& known : all_sections()) names.push_back(known.name);
    const auto near = nearest_name(name, names);
    std::string hint =
        near ? fmt::format("; did you mean \"{}\"?", *near) : key_suggestion("", name);
    if (const Field* field = find_field(name); field != nullptr)
      hint = fmt::format("; write it as {{\"{}\": {{\"{}\": ...}}}}", field->section, field->name);
    fail(source, printable(name),
         fmt::format("unknown key; expected {}{}", join(names, ", "), hint));
    return;
  }
  if (!object.is_object()) {
    fail(source, name,
         fmt::format("{} is {}; expected an object, {{\"{}\": ...}}", shown(object),
                     kind_of(object), section->fields.front().name));
    return;
  }
  for (const auto& [key, json] : object.items()) {
    const Field* field = find_field(*section, key);
    if (field == nullptr) {
      fail(source, name + "." + printable(key), "unknown key" + key_suggestion(name, key));
      continue;
    }
    lay_value(*field, json, source, {folder, /*variables=*/!folder.empty()});
  }
}

void Loader::lay_json(std::string_view text, const std::string& source, const fs::path& folder) {
  const bool sound = faults_.empty();
  const Json json = parse_json_text(text, source, faults_);
  readable_ = readable_ && json.is_object();
  if (json.is_null() && sound && !faults_.empty()) return;
  if (!json.is_object()) {
    faults_.add(
        source, "",
        fmt::format("{} is {}; expected an object, {{\"data\": {{...}}, \"model\": {{...}}}}",
                    shown(json), kind_of(json)));
    return;
  }
  for (const auto& [key, value] : json.items()) {
    if (key == "$schema" && value.is_string()) continue;  // what editors look up the schema by
    lay_section(key, value, source, folder);
  }
}

void Loader::lay_overrides(const Overrides& overrides) {
  for (const auto& [key, text] : overrides) {
    const Field* field = find_field(key);
    if (field == nullptr) {
      const std::size_t dot = key.find('.');
      const bool has_dot = dot != std::string::npos;
      fail(kCommandLine, printable(key),
           "unknown key" + key_suggestion(has_dot ? key.substr(0, dot) : "",
                                          has_dot ? key.substr(dot + 1) : key));
      continue;
    }
    lay_value(*field, json_from_text(*field, text), kCommandLine, {fs::current_path()});
  }
}

std::string Loader::origin(const Conflict& conflict, const std::string& name) const {
  for (const std::string& key : conflict.keys) {
    if (const auto found = origins_.find(key); found != origins_.end()) return found->second;
  }
  return name;
}

Config Loader::finish(const std::string& name, bool warn, FileChecks files) {
  for (const Conflict& conflict : find_conflicts(config_)) {
    const bool known_wrong =
        std::any_of(conflict.keys.begin(), conflict.keys.end(),
                    [this](const std::string& key) { return faulty_.contains(key); });
    // Such a key still has its default: a conflict with that would be a riddle.
    if (!known_wrong) faults_.add(origin(conflict, name), conflict.keys.front(), conflict.message);
  }
  if (files == FileChecks::training && readable_) find_file_faults(config_, faults_);
  faults_.throw_if_any();
  if (warn) {
    for (const Conflict& conflict : find_oddities(config_)) {
      log::warning("{}: {}: {}", origin(conflict, name), conflict.keys.front(), conflict.message);
    }
  }
  return config_;
}

}  // namespace

namespace {

Config load_from(const fs::path& path, const fs::path& folder, const Overrides& overrides,
                 FileChecks files) {
  std::string text;
  try {
    text = read_file(path);
  } catch (const SystemError& error) {
    throw ConfigError(error.what());
  }
  Loader loader;
  loader.lay_json(text, path.string(), folder);
  loader.lay_overrides(overrides);
  return loader.finish(path.string(), true, files);
}

}  // namespace

Config load_config(const fs::path& path, const Overrides& overrides, FileChecks files) {
  return load_from(path, fs::absolute(path).parent_path(), overrides, files);
}

Config load_stored_config(const fs::path& path, const Overrides& overrides, FileChecks files) {
  return load_from(path, {}, overrides, files);
}

Config default_config(const Overrides& overrides, FileChecks files) {
  Loader loader;
  loader.lay_overrides(overrides);
  return loader.finish("defaults", true, files);
}

Config parse_config(std::string_view json, const std::string& source, const Overrides& overrides) {
  Loader loader;
  loader.lay_json(json, source, {});
  loader.lay_overrides(overrides);
  return loader.finish(source, false, FileChecks::none);
}

}  // namespace diffuse
