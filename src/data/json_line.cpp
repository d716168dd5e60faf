#include "json_line.hpp"

#include <fmt/core.h>

#include <utility>

#include "base/json_reader.hpp"
#include "diffuse/base/text_util.hpp"

namespace diffuse {
namespace {

using Json = nlohmann::ordered_json;

/// People's own objects may be deep; what walks a value recursively still has room for this.
constexpr int kDeepest = 500;

JsonLine unusable(std::string problem, std::string expected) {
  JsonLine line;
  line.problem = std::move(problem);
  line.expected = std::move(expected);
  return line;
}

}  // namespace

JsonLine parse_json_line(std::string_view line) {
  JsonText<Json> read = read_json<Json>(line, {.deepest = kDeepest});
  if (read.fault) {
    const bool nul = read.fault->kind == JsonFault::Kind::nul;
    const bool number = read.fault->kind == JsonFault::Kind::number;
    return unusable(read.fault->text("column"), nul      ? "text"
                                                : number ? "numbers of at most 1e308"
                                                         : "one JSON object a line");
  }
  JsonLine result;
  result.object = std::move(read.value);
  if (!result.object.is_object())
    return unusable(fmt::format("the line holds {}", result.object.type_name()), "a JSON object");
  for (const std::vector<std::string>& path : read.repeated) {
    // What stands deeper is neither text nor label.
    if (path.size() == 1)
      return unusable(fmt::format("the key \"{}\" stands twice", printable(path.front())),
                      "each key once");
  }
  for (const auto& [key, value] : result.object.items()) {
    result.keys.push_back(key);
    result.contents.push_back(value.is_string() ? KeyContent::text
                              : value.is_null() ? KeyContent::null
                                                : KeyContent::other);
  }
  return result;
}

}  // namespace diffuse
