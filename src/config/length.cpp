#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/config/load.hpp"

namespace diffuse {

Length parse_length(std::string_view text) {
  constexpr double kMost = 1e12;  // far more than anybody waits for, far less than int64 holds
  const char unit = text.empty() ? '\0' : text.back();
  const char* end = text.data() + text.size() - (text.empty() ? 0 : 1);
  Length length;
  length.unit = unit == 'u'   ? Length::Unit::updates
                : unit == 'm' ? Length::Unit::minutes
                              : Length::Unit::epochs;
  const auto read = std::from_chars(text.data(), end, length.value, std::chars_format::fixed);
  const bool number = read.ec == std::errc() && read.ptr == end && std::isfinite(length.value) &&
                      length.value >= 0 && length.value <= kMost && !std::signbit(length.value);
  const bool whole = length.value == std::floor(length.value);
  if (!number || (unit != 'e' && unit != 'u' && unit != 'm') || (unit == 'u' && !whole)) {
    throw ConfigError(
        fmt::format("\"{}\" is not a length; expected epochs (\"3e\"), updates (\"5000u\") or "
                    "minutes (\"30m\"), at most 1e12",
                    printable(text)));
  }
  return length;
}

std::int64_t length_in_updates(const Length& length, std::int64_t updates_per_epoch) {
  if (length.unit == Length::Unit::minutes) throw Error("Minutes cannot be counted in updates.");
  if (length.unit == Length::Unit::updates) return std::llround(length.value);
  const double updates = length.value * static_cast<double>(updates_per_epoch);
  return std::llround(std::min(std::max(updates, 0.0), 9e18));
}

}  // namespace diffuse
