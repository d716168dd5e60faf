#include "json_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "diffuse/base/text_util.hpp"

namespace diffuse {
namespace {

/// Deeper than any configuration, and shallow enough for what walks a value recursively.
constexpr int kMaxDepth = 32;
struct TooDeep {};

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

/// The library's explanation without its own error number and position.
std::string explanation(const std::string& what) {
  const std::size_t column = what.find("column ");
  const std::string_view mark = column == std::string::npos ? "] " : ": ";
  const std::size_t end = what.find(mark, column == std::string::npos ? 0 : column);
  std::string text = end == std::string::npos ? what : what.substr(end + mark.size());
  const bool comma = text.find("parsing object key - unexpected '}'") != std::string::npos ||
                     text.find("parsing value - unexpected ']'") != std::string::npos;
  if (comma) text += "; a comma before a closing bracket is not allowed";
  return printable(text, 300);
}

/// What stands between the first and the last ' of `what`.
std::string_view quoted_part(std::string_view what) {
  const std::size_t first = what.find('\'');
  const std::size_t last = what.rfind('\'');
  if (first == std::string_view::npos || last == first) return {};
  return what.substr(first + 1, last - first - 1);
}

/// Follows the parser to find keys that an object holds twice.
class DuplicateFinder {
 public:
  DuplicateFinder(std::string source, Faults& faults)
      : source_(std::move(source)), faults_(faults) {}

  void on_event(Json::parse_event_t event, const Json& value) {
    switch (event) {
      case Json::parse_event_t::object_start:
        objects_.emplace_back();
        break;
      case Json::parse_event_t::object_end:
        objects_.pop_back();
        break;
      case Json::parse_event_t::key:
        on_key(value.get<std::string>());
        break;
      default:
        break;
    }
  }

 private:
  struct Object {
    std::set<std::string> keys;
    std::string current;
  };

  void on_key(const std::string& key) {
    objects_.back().current = key;
    if (objects_.back().keys.insert(key).second) return;
    std::vector<std::string> path;
    for (const Object& object : objects_) path.push_back(printable(object.current));
    faults_.add(source_, join(path, "."), "this key stands twice; keep one of the two");
  }

  std::string source_;
  Faults& faults_;
  std::vector<Object> objects_;
};

}  // namespace

Json parse_json_text(std::string_view text, const std::string& source, Faults& faults) {
  // The parser takes a NUL for the end of its input and would not look at what follows.
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    const Position at = position_of(text, nul + 1);
    faults.add(fmt::format("{}:{}:{}", source, at.line, at.column), "",
               "not valid JSON: a NUL byte; expected text");
    return {};
  }
  DuplicateFinder finder(source, faults);
  const auto callback = [&finder](int depth, Json::parse_event_t event, Json& value) {
    if (depth > kMaxDepth) throw TooDeep();
    finder.on_event(event, value);
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), callback, true, true);
  } catch (const Json::parse_error& error) {
    const Position at = position_of(text, error.byte);
    faults.add(fmt::format("{}:{}:{}", source, at.line, at.column), "",
               "not valid JSON: " + explanation(error.what()));
  } catch (const TooDeep&) {
    faults.add(source, "",
               fmt::format("lists or objects stand in one another more than {} deep; expected a "
                           "configuration",
                           kMaxDepth));
  } catch (const Json::exception& error) {
    // A number that no double holds. The library gives no position, but the number itself.
    const Position at = position_of(text, text.find(quoted_part(error.what())) + 1);
    faults.add(fmt::format("{}:{}:{}", source, at.line, at.column), "",
               "not valid JSON: " + explanation(error.what()));
  }
  return {};
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
