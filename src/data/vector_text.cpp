#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"
#include "text_buffer.hpp"
#include "vector_file.hpp"

namespace diffuse {
namespace {

/// The blanks of a line part its fields; one at its end parts nothing.
bool is_blank_byte(char c) { return c == ' ' || c == '\t'; }

std::string_view without_end(std::string_view line) {
  while (!line.empty() && is_blank_byte(line.back())) line.remove_suffix(1);
  return line;
}

/// Takes the last field off `line`, which has no blanks at its end.
std::string_view take_last(std::string_view& line) {
  std::size_t begin = line.size();
  while (begin > 0 && !is_blank_byte(line[begin - 1])) --begin;
  const std::string_view field = line.substr(begin);
  line = without_end(line.substr(0, begin));
  return field;
}

std::optional<float> number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  float value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (stop != text.data() + text.size() || text.empty()) return std::nullopt;
  if (error == std::errc::result_out_of_range) return 0.0F;  // so small: no vector has 1e38
  return error == std::errc() && std::isfinite(value) ? std::optional(value) : std::nullopt;
}

std::int64_t count_fields(std::string_view line) {
  std::int64_t fields = 0;
  bool inside = false;
  for (const char c : line) {
    if (!is_blank_byte(c) && !inside) ++fields;
    inside = !is_blank_byte(c);
  }
  return fields;
}

bool is_whole(std::string_view field) {
  return !field.empty() &&
         std::all_of(field.begin(), field.end(), [](char c) { return c >= '0' && c <= '9'; });
}

class TextVectors {
 public:
  TextVectors(const std::filesystem::path& path, std::int64_t dim) : buffer_(path), dim_(dim) {}

  /// Calls `visit` with each word and what reads its vector, until it returns false.
  void each(const VisitWord& visit) {
    std::string line;
    bool first = true;
    for (;; first = false) {
      line_ = buffer_.line();
      const TextBuffer::Line status = buffer_.take_line(line);
      if (status == TextBuffer::Line::end) break;
      if (status == TextBuffer::Line::too_long)
        fail(fmt::format("the line is longer than {} MiB", TextBuffer::kMaxRecordBytes >> 20));
      const std::string_view text = without_end(line);
      if (text.empty()) continue;
      if (first && is_header(text)) continue;
      if (!visit_line(text, !checked_, visit)) break;
    }
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw DataError(
        fmt::format("{}:{}: {} ({})", buffer_.path().string(), line_, what, kVectorSetting));
  }

  /// "1999995 300", as fastText and word2vec write it.
  bool is_header(std::string_view line) {
    if (count_fields(line) != 2) return false;
    std::string_view rest = line;
    const std::string_view length = take_last(rest);
    if (!is_whole(length) || !is_whole(rest) || length.size() > 6) return false;
    const std::int64_t found = std::stoll(std::string(length));
    if (found != dim_) fail(other_length(found, dim_));
    return true;
  }

  bool visit_line(std::string_view line, bool check, const VisitWord& visit) {
    const std::int64_t fields = count_fields(line);
    // Words may hold blanks; that all lines have more numbers is seen on the first.
    if (check && fields > dim_ + 1) {
      std::string_view rest = line;
      std::int64_t numbers = 0;
      while (!rest.empty() && number(take_last(rest))) ++numbers;
      if (numbers > dim_ && numbers >= fields - 1) fail(other_length(fields - 1, dim_));
    }
    if (fields < dim_ + 1) {
      if (check) fail(other_length(fields - 1, dim_));
      fail(fmt::format("{} field{}; expected a word and {} numbers", fields, fields == 1 ? "" : "s",
                       dim_));
    }
    checked_ = true;
    std::string_view word = line;
    if (fields == dim_ + 1) {
      word = line.substr(0, line.find_first_of(" \t", line.find_first_not_of(" \t")));
      word.remove_prefix(word.find_first_not_of(" \t"));
    } else {
      for (std::int64_t i = 0; i < dim_; ++i) take_last(word);
    }
    return visit(word, [&](std::span<float> to) {
      std::string_view rest = line;
      for (std::int64_t i = dim_; i-- > 0;) {
        const std::string_view field = take_last(rest);
        const std::optional<float> value = number(field);
        if (!value)
          fail(fmt::format("\"{}\" is no number; expected a word and {} numbers",
                           printable(field, 20), dim_));
        to[static_cast<std::size_t>(i)] = *value;
      }
    });
  }

  TextBuffer buffer_;
  std::int64_t dim_;
  std::uint32_t line_ = 0;
  bool checked_ = false;
};

}  // namespace

std::string other_length(std::int64_t found, std::int64_t dim) {
  return fmt::format(
      "vectors of {} numbers, but model.dim is {}; expected as many (--set "
      "model.dim={})",
      found, dim, found);
}

void each_text_vector(const std::filesystem::path& path, std::int64_t dim, const VisitWord& visit) {
  TextVectors(path, dim).each(visit);
}

}  // namespace diffuse
