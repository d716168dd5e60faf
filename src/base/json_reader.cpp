#include "json_reader.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"

namespace diffuse {
namespace {

struct TooDeep {};
struct TooManyKeys {};

/// The parser's explanation without its own error number and position.
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

/// `key`, or its beginning where it is long: whole characters.
std::string shortened_key(const std::string& key) {
  constexpr std::size_t kMostBytes = 100;
  if (key.size() <= kMostBytes) return key;
  std::size_t end = kMostBytes;
  while (end > 0 && (static_cast<unsigned char>(key[end]) & 0xC0) == 0x80) --end;
  return key.substr(0, end) + "…";
}

/// Follows the parser to find the keys that an object holds twice.
class RepeatedKeys {
 public:
  explicit RepeatedKeys(std::vector<std::vector<std::string>>& found) : found_(found) {}

  void begin() {
    if (depth_ == objects_.size()) objects_.emplace_back();
    objects_[depth_++].clear();
  }
  /// Returns how many keys the innermost object has so far.
  std::size_t add(const std::string& key) {
    objects_[depth_ - 1].push_back(key);
    return objects_[depth_ - 1].size();
  }
  void end() {
    --depth_;
    std::vector<std::string>& keys = objects_[depth_];
    std::sort(keys.begin(), keys.end());
    for (auto key = keys.begin(); (key = std::adjacent_find(key, keys.end())) != keys.end();) {
      keep(*key);
      key = std::find_if(key, keys.end(), [&](const auto& other) { return other != *key; });
    }
  }

 private:
  /// A text may repeat nearly as many keys as it has bytes, each behind keys as long as the text:
  /// memory for all of them would grow with its square.
  void keep(const std::string& key) {
    constexpr std::size_t kMostKept = 20;
    if (found_.size() == kMostKept) {
      const auto innermost =
          std::max_element(found_.begin(), found_.end(),
                           [](const auto& a, const auto& b) { return a.size() < b.size(); });
      if (innermost->size() <= depth_ + 1) return;
      found_.erase(innermost);
    }
    std::vector<std::string>& path = found_.emplace_back();
    for (std::size_t i = 0; i < depth_; ++i) path.push_back(shortened_key(objects_[i].back()));
    path.push_back(shortened_key(key));
  }

  std::vector<std::vector<std::string>>& found_;
  std::vector<std::vector<std::string>> objects_;  // the keys so far of those that are open
  std::size_t depth_ = 0;                          // how many of them are
};

template <class Json>
JsonText<Json> read(std::string_view text, const JsonRules& rules) {
  using Event = typename Json::parse_event_t;
  JsonText<Json> result;
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    result.fault = {JsonFault::Kind::nul, nul + 1, "a NUL byte"};
    return result;
  }
  RepeatedKeys keys(result.repeated);
  const auto follow = [&](int depth, Event event, Json& value) {
    if (event == Event::object_start || event == Event::array_start) {
      if (depth >= rules.deepest) throw TooDeep();
    }
    if (event == Event::object_start) keys.begin();
    if (event == Event::object_end) keys.end();
    if (event == Event::key) {
      const std::size_t count = keys.add(value.template get_ref<const std::string&>());
      if (rules.most_keys != 0 && count > rules.most_keys) throw TooManyKeys();
    }
    return true;
  };
  try {
    result.value = Json::parse(text.begin(), text.end(), follow, true, rules.comments);
  } catch (const typename Json::parse_error& error) {
    result.fault = {JsonFault::Kind::syntax, error.byte, explanation(error.what())};
  } catch (const typename Json::exception& error) {
    // The parser gives no position, but the number itself.
    const std::size_t at = text.find(quoted_part(error.what()));
    result.fault = {JsonFault::Kind::number, at + 1, explanation(error.what())};
  } catch (const TooDeep&) {
    result.fault = {
        JsonFault::Kind::depth, 0,
        fmt::format("lists or objects stand in one another more than {} deep", rules.deepest)};
  } catch (const TooManyKeys&) {
    result.fault = {JsonFault::Kind::keys, 0,
                    fmt::format("an object holds more than {} keys", rules.most_keys)};
  }
  return result;
}

}  // namespace

std::string JsonFault::text(std::string_view unit) const {
  switch (kind) {
    case Kind::nul:
      return fmt::format("NUL character at {} {}", unit, byte);
    case Kind::number:
      return "a number that is out of range";
    case Kind::depth:
    case Kind::keys:
      return reason;
    case Kind::syntax:
      break;
  }
  return fmt::format("not valid JSON at {} {}", unit, byte);
}

template <class Json>
JsonText<Json> read_json(std::string_view text, const JsonRules& rules) {
  return read<Json>(text, rules);
}

template JsonText<nlohmann::json> read_json(std::string_view, const JsonRules&);
template JsonText<nlohmann::ordered_json> read_json(std::string_view, const JsonRules&);

nlohmann::json read_json_object(std::string_view text, const std::string& place,
                                std::string_view expected) {
  JsonText<nlohmann::json> read = read_json<nlohmann::json>(text);
  std::string problem;
  if (read.fault) {
    problem = read.fault->text("column");
  } else if (!read.value.is_object()) {
    problem = fmt::format("{} and no object", read.value.type_name());
  } else if (!read.repeated.empty()) {
    problem = fmt::format("the key \"{}\" stands twice", printable(read.repeated.front().back()));
  }
  if (problem.empty()) return std::move(read.value);
  throw DataError(fmt::format("{}: {}; expected {}.", place, problem, expected));
}

}  // namespace diffuse
