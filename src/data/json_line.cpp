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
/// A key is looked for among those before it, one by one: with many a line would take minutes.
constexpr std::size_t kMostKeys = 10'000;

JsonLine unusable(std::string problem, std::string expected) {
  JsonLine line;
  line.problem = std::move(problem);
  line.expected = std::move(expected);
  return line;
}

std::string expected_instead_of(JsonFault::Kind kind) {
  switch (kind) {
    case JsonFault::Kind::nul:
      return "text";
    case JsonFault::Kind::number:
      return "numbers of at most 1e308";
    case JsonFault::Kind::keys:
      return "fewer (a soft label of so many classes: a list)";
    case JsonFault::Kind::syntax:
    case JsonFault::Kind::depth:
      break;
  }
  return "one JSON object a line";
}

}  // namespace

JsonLine parse_json_line(std::string_view line) {
  JsonText<Json> read = read_json<Json>(line, {.deepest = kDeepest, .most_keys = kMostKeys});
  if (read.fault)
    return unusable(read.fault->text("column"), expected_instead_of(read.fault->kind));
  JsonLine result;
  result.object = std::move(read.value);
  if (!result.object.is_object())
    return unusable(fmt::format("the line holds {}", result.object.type_name()), "a JSON object");
  for (const std::vector<std::string>& path : read.repeated) {
    // What stands deeper is neither text, label nor a class of a soft label.
    if (path.size() > 2) continue;
    const std::string of =
        path.size() == 2 ? fmt::format(" of \"{}\"", printable(path.front())) : "";
    return unusable(fmt::format("the key \"{}\"{} stands twice", printable(path.back()), of),
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
