#include "lines_file.hpp"

#include <fmt/core.h>

#include <string_view>

#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/text_util.hpp"
#include "token_table.hpp"

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

}  // namespace

std::vector<std::string> read_distinct_lines(const std::filesystem::path& path,
                                             const std::string& item) {
  const std::string content = read_or_data_error(path, item);
  std::string_view rest = content;
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
  if (rest.empty()) {
    throw DataError(fmt::format("{}: is empty; expected one {} a line", path.string(), item));
  }

  std::vector<std::string> lines;
  TokenTable seen;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);

    const std::string where = fmt::format("{}:{}", path.string(), lines.size() + 1);
    if (line.empty()) {
      throw DataError(fmt::format("{}: the line is empty; expected one {} a line", where, item));
    }
    if (const auto at = invalid_utf8_at(line)) {
      throw DataError(
          fmt::format("{}: byte {} of the line is not valid UTF-8; expected one {} a line in UTF-8",
                      where, *at + 1, item));
    }
    const auto [first, added] = seen.insert(line);
    if (!added) {
      throw DataError(fmt::format("{}: {} '{}' is on line {} already; each may come only once",
                                  where, item, printable(line), first + 1));
    }
    lines.emplace_back(line);
  }
  return lines;
}

}  // namespace diffuse
