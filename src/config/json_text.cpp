#include "json_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/json_reader.hpp"
#include "diffuse/base/text_util.hpp"

namespace diffuse {
namespace {

struct Position {
  std::size_t line;
  std::size_t column;
};

/// Of the byte before `end`, both from 1.
Position position_of(std::string_view text, std::size_t end) {
  const std::string_view before = text.substr(0, std::min(end, text.size()));
  const std::size_t line =
      1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
  const std::size_t break_at = before.rfind('\n');
  const std::size_t column =
      break_at == std::string_view::npos ? before.size() : before.size() - break_at - 1;
  return {line, std::max<std::size_t>(column, 1)};
}

}  // namespace

Json parse_json_text(std::string_view text, const std::string& source, Faults& faults) {
  JsonText<Json> read = read_json<Json>(text, {.comments = true});
  if (read.fault && read.fault->kind == JsonFault::Kind::depth) {
    faults.add(source, "", read.fault->reason + "; expected a configuration");
  } else if (read.fault) {
    const Position at = position_of(text, read.fault->byte);
    const bool nul = read.fault->kind == JsonFault::Kind::nul;
    faults.add(
        fmt::format("{}:{}:{}", source, at.line, at.column), "",
        fmt::format("not valid JSON: {}{}", read.fault->reason, nul ? "; expected text" : ""));
  }
  for (std::vector<std::string>& path : read.repeated) {
    for (std::string& key : path) key = printable(key);
    faults.add(source, join(path, "."), "this key stands twice; keep one of the two");
  }
  return std::move(read.value);
}

std::string shown(const Json& value) {
  return printable(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::string kind_of(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null:
      return "null";
    case Json::value_t::object:
      return "an object";
    case Json::value_t::array:
      return "a list";
    case Json::value_t::string:
      return "a text";
    case Json::value_t::boolean:
      return "true or false";
    default:
      return "a number";
  }
}

}  // namespace diffuse
