#include "diffuse/base/unicode.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>

#include "diffuse/base/utf8.hpp"

namespace diffuse {
namespace {

constexpr char32_t kZeroWidthNonJoiner = 0x200C;
constexpr char32_t kZeroWidthJoiner = 0x200D;

utf8proc_category_t category(char32_t c) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(c));
}

bool is_variation_selector(char32_t c) {
  return (c >= 0xFE00 && c <= 0xFE0F) || (c >= 0x180B && c <= 0x180D) || c == 0x180F ||
         (c >= 0xE0100 && c <= 0xE01EF);
}

/// Format characters that show: signs that enclose the number behind them, and tags.
bool is_seen_format(char32_t c) {
  return (c >= 0x0600 && c <= 0x0605) || c == 0x06DD || c == 0x070F || c == 0x0890 || c == 0x0891 ||
         c == 0x08E2 || c == 0x110BD || c == 0x110CD || (c >= 0xE0020 && c <= 0xE007F);
}

/// Code points that form C always replaces by one other, and their neighbours.
bool may_have_twin(char32_t c) {
  return c == 0x0374 || c == 0x037E || c == 0x0387 || (c >= 0x1F70 && c <= 0x1FFF) ||
         (c >= 0x2000 && c <= 0x2001) || (c >= 0x2126 && c <= 0x212B) ||
         (c >= 0x2329 && c <= 0x232A) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0x2F800 && c <= 0x2FA1F);
}

/// Whether `c` may differ in normal form C, or join what stands before it. False for whatever
/// starts a sequence of its own; a mark or a Hangul vowel too many only costs time.
bool may_change(char32_t c) {
  // Latin, Greek and Cyrillic letters, ideographs and Hangul syllables: what most text is made of.
  if (c < 0x300 || (c >= 0x388 && c <= 0x482) || (c >= 0x3400 && c <= 0x9FFF) ||
      (c >= 0xAC00 && c <= 0xD7A3)) {
    return false;
  }
  if (c >= 0x1160 && c <= 0x11FF) return true;  // Hangul vowels and final consonants
  const utf8proc_property_t* const property =
      utf8proc_get_property(static_cast<utf8proc_int32_t>(c));
  return property->combining_class != 0 || property->comp_exclusion ||
         property->category == UTF8PROC_CATEGORY_MN || property->category == UTF8PROC_CATEGORY_MC ||
         may_have_twin(c);
}

/// utf8proc's mapping of well-formed `text` by `options`, appended to `out`.
void append_mapped(std::string_view text, int options, std::string& out) {
  utf8proc_uint8_t* mapped = nullptr;
  const auto length = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                   static_cast<utf8proc_ssize_t>(text.size()), &mapped,
                                   static_cast<utf8proc_option_t>(options));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(mapped, &std::free);
  if (length < 0) {
    out.append(text);
  } else {
    out.append(reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(length));
  }
}

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// `whole` without the commas between its thousands; a comma where they stand elsewhere.
std::string without_thousands(std::string_view whole) {
  std::string digits;
  for (std::size_t at = whole.find(','); at != std::string_view::npos; at = whole.find(',')) {
    if (at == 0 || at > 3 || (!digits.empty() && at != 3)) return ",";
    digits.append(whole.substr(0, at));
    whole.remove_prefix(at + 1);
  }
  if (!digits.empty() && whole.size() != 3) return ",";
  return digits.append(whole);
}

/// Cuts an exponent ("e-3") off `text`; nothing if it is none, or one that no label has.
std::optional<std::ptrdiff_t> take_exponent(std::string_view& text) {
  const std::size_t e = text.find('e');
  if (e == std::string_view::npos) return 0;
  std::string_view digits = text.substr(e + 1);
  text = text.substr(0, e);
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  if (digits.empty() || digits.size() > 2 || !all_digits(digits)) return std::nullopt;
  std::ptrdiff_t exponent = 0;
  for (const char digit : digits) exponent = 10 * exponent + (digit - '0');
  return negative ? -exponent : exponent;
}

/// A number without its plus sign, commas between thousands, exponent and the zeros that do not
/// count; empty if `text`, in lower case, is none.
std::string plain_number(std::string_view text) {
  constexpr std::string_view kMinusSign = "\xE2\x88\x92";
  const bool negative = text.starts_with('-') || text.starts_with(kMinusSign);
  if (negative || text.starts_with('+'))
    text.remove_prefix(text.starts_with(kMinusSign) ? kMinusSign.size() : 1);
  const std::optional<std::ptrdiff_t> exponent = take_exponent(text);
  const std::size_t point = std::min(text.find('.'), text.size());
  std::string whole = without_thousands(text.substr(0, point));
  std::string part(text.substr(std::min(point + 1, text.size())));
  if (!exponent || (whole.empty() && part.empty()) || !all_digits(whole) || !all_digits(part))
    return "";
  const auto places = static_cast<std::size_t>(std::abs(*exponent));
  if (*exponent > 0) {
    part.append(places - std::min(places, part.size()), '0');
    whole.append(part, 0, places);
    part.erase(0, places);
  } else if (*exponent < 0) {
    whole.insert(0, places - std::min(places, whole.size()), '0');
    part.insert(0, whole, whole.size() - places);
    whole.erase(whole.size() - places);
  }
  whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size()));
  part.erase(part.find_last_not_of('0') + 1);
  std::string number = whole.empty() ? "0" : whole;
  if (!part.empty()) number.append(".").append(part);
  return negative && number != "0" ? "-" + number : number;
}

}  // namespace

bool is_white_space(char32_t c) {
  return c == ' ' || (c >= 0x09 && c <= 0x0D) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

bool is_blank(char32_t c) { return is_white_space(c) || c == 0x2800 || c == 0x3164 || c == 0xFFA0; }

bool is_invisible(char32_t c) {
  if (c < 0x80) return c != 0 && (c < 0x20 || c == 0x7F) && !is_white_space(c);
  if (is_variation_selector(c) || c == 0x034F) return true;  // U+034F: combining grapheme joiner
  switch (category(c)) {
    case UTF8PROC_CATEGORY_CF:
      return !is_seen_format(c);
    case UTF8PROC_CATEGORY_CC:
      return !is_white_space(c);
    default:
      return false;
  }
}

std::string_view nfc(std::string_view text, std::string& buffer,
                     std::vector<NfcStretch>* stretches) {
  // Sorting marks takes utf8proc their number squared, so a run has an end (Unicode's stream-safe
  // text has 30 at most).
  constexpr int kMostMarks = 100;
  const char* const end = text.data() + text.size();
  const char* copied = text.data();  // what stands before it is in `buffer`
  const char* start = text.data();   // of the sequence that marks at `at` would belong to
  const char* at = text.data();
  buffer.clear();
  if (stretches != nullptr) stretches->clear();
  while (at < end) {
    if (static_cast<unsigned char>(*at) < 0x80) {
      at = skip_ascii(at, end);
      start = at - 1;
      continue;
    }
    DecodedCodePoint next = decode_utf8(at, end);
    if (!next.valid || !may_change(next.code_point)) {
      start = next.valid ? at : at + next.length;
      at += next.length;
      continue;
    }
    for (int marks = 0; next.valid && may_change(next.code_point) && marks < kMostMarks; ++marks) {
      at += next.length;
      if (at == end) break;
      next = decode_utf8(at, end);
    }
    buffer.append(copied, start);
    const std::size_t before = buffer.size();
    append_mapped({start, at}, UTF8PROC_STABLE | UTF8PROC_COMPOSE, buffer);
    if (stretches != nullptr)
      stretches->push_back({static_cast<std::size_t>(start - text.data()),
                            static_cast<std::size_t>(at - text.data()), before, buffer.size()});
    copied = at;
    start = at;
  }
  if (copied == text.data()) return text;
  buffer.append(copied, end);
  return buffer;
}

std::string_view trim_invisible(std::string_view text) {
  const auto goes = [](const DecodedCodePoint& c) {
    return c.valid && (is_blank(c.code_point) || is_invisible(c.code_point));
  };
  while (!text.empty()) {
    const DecodedCodePoint first = decode_utf8(text.data(), text.data() + text.size());
    if (!goes(first)) break;
    text.remove_prefix(static_cast<std::size_t>(first.length));
  }
  while (!text.empty()) {
    std::size_t begin = text.size() - 1;
    while (begin > 0 && text.size() - begin < 4 &&
           (static_cast<unsigned char>(text[begin]) & 0xC0u) == 0x80u) {
      --begin;
    }
    const DecodedCodePoint last = decode_utf8(text.data() + begin, text.data() + text.size());
    if (!goes(last) || begin + static_cast<std::size_t>(last.length) != text.size()) break;
    text = text.substr(0, begin);
  }
  return text;
}

std::string canonical_name(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  if (skip_ascii(at, end) == end) return std::string(trim_invisible(text));
  std::string seen;
  while (at < end) {
    const DecodedCodePoint next = decode_utf8(at, end);
    const char32_t c = next.code_point;
    const bool joiner = c == kZeroWidthJoiner || c == kZeroWidthNonJoiner;
    if (!next.valid || c < 0x80) {
      seen.append(at, static_cast<std::size_t>(next.length));
    } else if (is_blank(c)) {
      seen.push_back(' ');
    } else if (joiner || c < 0xA0 || !is_invisible(c)) {
      append_utf8(c, seen);
    }
    at += next.length;
  }
  std::string buffer;
  return std::string(trim_invisible(nfc(seen, buffer)));
}

std::string folded_name(std::string_view text) {
  const std::string name = canonical_name(text);
  std::string lower;
  const char* const end = name.data() + name.size();
  for (const char* at = name.data(); at < end;) {
    const DecodedCodePoint next = decode_utf8(at, end);
    if (next.valid) {
      append_utf8(
          static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(next.code_point))),
          lower);
    } else {
      lower.append(at, static_cast<std::size_t>(next.length));
    }
    at += next.length;
  }
  return lower;
}

std::string look_alike_key(std::string_view name) {
  std::string folded;
  append_mapped(
      name,
      UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE,
      folded);
  std::string key;
  const char* const end = folded.data() + folded.size();
  for (const char* at = folded.data(); at < end;) {
    const DecodedCodePoint next = decode_utf8(at, end);
    if (!is_blank(next.code_point)) key.append(at, static_cast<std::size_t>(next.length));
    at += next.length;
  }
  const std::string number = plain_number(key);
  return number.empty() ? key : number;
}

}  // namespace diffuse
