#include "diffuse/base/text_util.hpp"

#include <fmt/core.h>
#include <utf8proc.h>

#include <algorithm>
#include <cstdint>
#include <numeric>

#include "diffuse/base/unicode.hpp"
#include "diffuse/base/utf8.hpp"

namespace diffuse {
namespace {

/// Edits (insert, delete, replace, swap of neighbours) from `a` to `b`.
std::size_t edit_distance(std::u32string_view a, std::u32string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

/// `name` as `folded_name` has it, a code point a place.
std::u32string folded_points(std::string_view name) {
  const std::string folded = folded_name(name);
  std::u32string points;
  const char* const end = folded.data() + folded.size();
  for (const char* at = folded.data(); at < end;) {
    const DecodedCodePoint next = decode_utf8(at, end);
    points.push_back(next.code_point);
    at += next.length;
  }
  return points;
}

/// Code points that would break a line, move the cursor or turn the writing direction.
bool is_control(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x061C || c == 0x200E || c == 0x200F ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

std::string escaped(char32_t c) {
  if (c == '\n') return "\\n";
  if (c == '\r') return "\\r";
  if (c == '\t') return "\\t";
  const auto value = static_cast<std::uint32_t>(c);
  return c < 0x80 ? fmt::format("\\x{:02x}", value) : fmt::format("\\u{{{:04x}}}", value);
}

}  // namespace

std::optional<std::string> nearest_name(std::string_view word, std::span<const std::string> names) {
  const std::u32string wanted = folded_points(word);
  const std::size_t allowed = 1 + wanted.size() / 4;
  std::optional<std::string> nearest;
  std::size_t nearest_distance = allowed + 1;
  for (const std::string& name : names) {
    const std::u32string folded = folded_points(name);
    const std::size_t longer = std::max(folded.size(), wanted.size());
    if (longer - std::min(folded.size(), wanted.size()) >= nearest_distance) continue;
    const std::size_t distance = edit_distance(wanted, folded);
    // Sharing no letter at all is no slip, however short the two are.
    if (distance < nearest_distance && distance < longer) {
      nearest = name;
      nearest_distance = distance;
    }
  }
  return nearest;
}

std::string printable(std::string_view text, std::size_t max_length) {
  std::string out;
  std::size_t length = 0;    // of `out`, in code points
  std::size_t cut_size = 0;  // bytes of `out` that leave room for the ellipsis
  const char* const end = text.data() + text.size();
  for (const char* at = text.data(); at < end;) {
    const DecodedCodePoint next = decode_utf8(at, end);
    const bool one_point = next.valid && !is_control(next.code_point);
    const std::size_t bytes = next.valid ? static_cast<std::size_t>(next.length) : 1;
    std::string piece;
    if (one_point) {
      piece.assign(at, bytes);
    } else if (next.valid) {
      piece = escaped(next.code_point);
    } else {
      piece = fmt::format("\\x{:02x}", static_cast<unsigned char>(*at));
    }
    length += one_point ? 1 : piece.size();
    if (length > max_length) return out.substr(0, cut_size) + "…";
    out += piece;
    if (length < max_length) cut_size = out.size();
    at += bytes;
  }
  return out;
}

std::optional<std::size_t> invalid_utf8_at(std::string_view text) {
  const char* const end = text.data() + text.size();
  const char* at = skip_ascii(text.data(), end);
  while (at < end) {
    const DecodedCodePoint next = decode_utf8(at, end);
    if (!next.valid) return static_cast<std::size_t>(at - text.data());
    at = skip_ascii(at + next.length, end);
  }
  return std::nullopt;
}

std::string escape_tsv(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\t') {
      out += "\\t";
    } else if (c == '\\') {
      out += "\\\\";
    } else {
      out += c;
    }
  }
  return out;
}

std::string shell_quoted(const std::string& word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,+@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

std::string join(std::span<const std::string> parts, std::string_view separator) {
  std::string joined;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) joined += separator;
    joined += parts[i];
  }
  return joined;
}

DisplayedCharacter first_character(std::string_view text) {
  const DecodedCodePoint next = decode_utf8(text.data(), text.data() + text.size());
  if (!next.valid) return {1, 1};
  const int columns = utf8proc_charwidth(static_cast<utf8proc_int32_t>(next.code_point));
  return {static_cast<std::size_t>(next.length), static_cast<std::size_t>(columns)};
}

std::size_t display_width(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const DisplayedCharacter next = first_character(text);
    columns += next.columns;
    text.remove_prefix(next.bytes);
  }
  return columns;
}

}  // namespace diffuse
