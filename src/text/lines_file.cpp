#include "lines_file.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>

#include "diffuse/base/encoding.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/base/unicode.hpp"

namespace diffuse {
namespace {

std::string read_or_data_error(const std::filesystem::path& path, const std::string& item) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    throw DataError(fmt::format("{}: there is no such file; expected a file with one {} a line",
                                path.string(), item));
  }
  if (std::filesystem::is_directory(path, ignored)) {
    throw DataError(
        fmt::format("{}: is a folder; expected a file with one {} a line", path.string(), item));
  }
  try {
    return read_file(path);
  } catch (const SystemError& error) {
    throw DataError(error.what());
  }
}

/// Cuts the first line off `rest`; with `lone_cr` a CR by itself ends it, too.
std::string_view take_line(std::string_view& rest, bool lone_cr) {
  const std::size_t end = rest.find_first_of(lone_cr ? "\r\n" : "\n");
  std::string_view line = rest.substr(0, end);
  std::size_t next = end == std::string_view::npos ? rest.size() : end + 1;
  if (lone_cr && rest.substr(line.size()).starts_with("\r\n")) ++next;
  rest.remove_prefix(next);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

StringTable read_distinct(const std::filesystem::path& path, const std::string& item, bool names) {
  const std::string content = read_or_data_error(path, item);
  refuse_wide_encoding(content, path);
  std::string_view rest = content;
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
  if (names) {
    const std::string_view trimmed = trim_invisible(rest);
    rest = rest.substr(0, static_cast<std::size_t>(trimmed.data() - rest.data()) + trimmed.size());
    if (trimmed.empty()) rest = {};
  }
  if (rest.empty()) {
    throw DataError(fmt::format("{}: is empty; expected one {} a line", path.string(), item));
  }

  StringTable lines;
  lines.reserve(static_cast<std::size_t>(std::count(rest.begin(), rest.end(), '\n')) + 1,
                rest.size());
  while (!rest.empty()) {
    std::string_view line = take_line(rest, names);
    const auto where = [&] { return fmt::format("{}:{}", path.string(), lines.size() + 1); };
    if (const auto at = invalid_utf8_at(line)) {
      throw DataError(fmt::format(
          "{}: byte {} of the line is not valid UTF-8; expected one {} a line in {}", where(),
          *at + 1, item, utf8_expected(static_cast<unsigned char>(line[*at]), path)));
    }
    std::string canonical;
    if (names) line = canonical = canonical_name(line);
    if (line.empty()) {
      throw DataError(fmt::format("{}: the line is empty; expected one {} a line", where(), item));
    }
    const auto [first, added] = lines.insert(line);
    if (!added) {
      throw DataError(fmt::format("{}: {} '{}' is on line {} already; each may come only once",
                                  where(), item, printable(line), first + 1));
    }
  }
  return lines;
}

}  // namespace

StringTable read_distinct_lines(const std::filesystem::path& path, const std::string& item) {
  return read_distinct(path, item, false);
}

std::vector<std::string> read_distinct_names(const std::filesystem::path& path,
                                             const std::string& item) {
  return read_distinct(path, item, true).strings();
}

}  // namespace diffuse
