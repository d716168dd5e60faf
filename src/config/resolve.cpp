#include "resolve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "diffuse/base/text_util.hpp"
#include "substitute.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;

/// `~/x` and relative paths made absolute. Sets `problem` where that cannot be.
std::string absolute_path(const std::string& path, const fs::path& folder, std::string& problem) {
  if (path.empty()) return path;
  fs::path result = path;
  if (path == "~" || path.starts_with("~/")) {
    const char* home = std::getenv("HOME");
    if (home == nullptr || *home == '\0') {
      problem = fmt::format("\"{}\": \"~\" needs the environment variable HOME, which is not set",
                            printable(path));
      return path;
    }
    result = fs::path(home) / fs::path(path.substr(std::min<std::size_t>(path.size(), 2)));
  }
  std::string text = fs::absolute(folder / result).lexically_normal().string();
  if (invalid_utf8_at(text)) {
    problem =
        fmt::format("\"{}\": the name of a folder above it is not valid UTF-8", printable(path));
  }
  return text;
}

/// What config_json wrote: "$${" is a "${", and nothing is replaced.
void unescape(Json& json) {
  if (json.is_array()) {
    for (Json& entry : json) unescape(entry);
  }
  if (json.is_string()) json = unescape_variables(json.get<std::string>());
}

void replace_variables(Json& json, bool& in_environment, std::string& problem) {
  if (json.is_array()) {
    for (Json& entry : json) {
      if (problem.empty()) replace_variables(entry, in_environment, problem);
    }
  }
  if (!json.is_string()) return;
  const Substituted result = substitute_environment(json.get<std::string>());
  problem = result.problem;
  in_environment = result.begins_in_environment;
  json = result.text;
}

}  // namespace

std::optional<Value> resolve_value(const Field& field, Json json, const ValueSource& source,
                                   std::string& problem) {
  fs::path folder = source.folder;
  if (folder.empty()) unescape(json);
  if (source.variables) {
    bool in_environment = false;
    replace_variables(json, in_environment, problem);
    if (!problem.empty()) return std::nullopt;
    if (in_environment) folder = fs::current_path();
  }
  auto value = value_from_json(field, json, problem);
  if (value && field.type == FieldType::path && !folder.empty())
    value = absolute_path(std::get<std::string>(*value), folder, problem);
  if (value && field.type == FieldType::paths && !folder.empty()) {
    for (std::string& path : std::get<std::vector<std::string>>(*value))
      path = absolute_path(path, folder, problem);
  }
  if (value && field.type == FieldType::files && !folder.empty()) {
    for (std::string& path : std::get<InputFiles>(*value).names)
      if (path != kStdinName) path = absolute_path(path, folder, problem);
  }
  if (!problem.empty()) return std::nullopt;
  return value;
}

}  // namespace diffuse
