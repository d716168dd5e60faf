#include "json_line.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "diffuse/base/text_util.hpp"

namespace diffuse {
namespace {

using Json = nlohmann::ordered_json;

JsonLine unusable(std::string problem, std::string expected) {
  JsonLine line;
  line.problem = std::move(problem);
  line.expected = std::move(expected);
  return line;
}

/// The first key that was there before, null if there is none. Objects have a handful of keys.
const std::string* find_repeated(const std::vector<std::string>& keys) {
  for (auto key = keys.begin(); key != keys.end(); ++key) {
    if (std::find(keys.begin(), key, *key) != key) return &*key;
  }
  return nullptr;
}

}  // namespace

JsonLine parse_json_line(std::string_view line) {
  // The parser takes a NUL for the end of its input and would not look at what follows.
  if (const std::size_t nul = line.find('\0'); nul != std::string_view::npos)
    return unusable(fmt::format("NUL character at column {}", nul + 1), "text");
  JsonLine result;
  try {
    result.object =
        Json::parse(line, [&result](int depth, Json::parse_event_t event, const Json& parsed) {
          if (event == Json::parse_event_t::key && depth == 1)
            result.keys.push_back(parsed.get_ref<const std::string&>());
          return true;
        });
  } catch (const Json::parse_error& error) {
    return unusable(fmt::format("not valid JSON at column {}", error.byte),
                    "one JSON object a line");
  } catch (const Json::out_of_range&) {  // a number beyond a double's range
    return unusable("a number that is out of range", "numbers of at most 1e308");
  }
  if (!result.object.is_object())
    return unusable(fmt::format("the line holds {}", result.object.type_name()), "a JSON object");
  if (const std::string* twice = find_repeated(result.keys))
    return unusable(fmt::format("the key \"{}\" stands twice", printable(*twice)), "each key once");
  for (const std::string& key : result.keys) {
    const Json& value = result.object.at(key);
    result.contents.push_back(value.is_string() ? KeyContent::text
                              : value.is_null() ? KeyContent::null
                                                : KeyContent::other);
  }
  return result;
}

}  // namespace diffuse
