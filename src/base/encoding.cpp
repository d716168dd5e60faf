#include "diffuse/base/encoding.hpp"

#include <fmt/core.h>

#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"

namespace diffuse {
namespace {

/// The command that rewrites `path`, which is in the encoding `from`, as UTF-8.
std::string iconv_command(const std::filesystem::path& path, std::string_view from) {
  if (path == "stdin") return fmt::format("iconv -f {} -t UTF-8", from);  // no file has that name
  std::filesystem::path plain = path.filename();
  const bool packed = plain.extension() == ".gz" || plain.extension() == ".GZ";
  if (packed) plain = plain.stem();
  const std::string to = shell_quoted(plain.stem().string() + "-utf8" + plain.extension().string());
  const std::string file = shell_quoted(path.string());
  if (packed) return fmt::format("gzip -dc {} | iconv -f {} -t UTF-8 > {}", file, from, to);
  return fmt::format("iconv -f {} -t UTF-8 {} > {}", from, file, to);
}

}  // namespace

std::string utf8_expected(unsigned char byte, const std::filesystem::path& path) {
  // Windows-1252 has no character for these.
  if (byte == 0x81 || byte == 0x8D || byte == 0x8F || byte == 0x90 || byte == 0x9D) return "UTF-8";
  return fmt::format("UTF-8 (`{}` converts a file in Windows-1252)",
                     iconv_command(path, "WINDOWS-1252"));
}

void refuse_wide_encoding(std::string_view bytes, const std::filesystem::path& path) {
  constexpr std::string_view kNul("\0", 1);
  const auto starts = [&](std::string_view mark) { return bytes.starts_with(mark); };
  std::string name;
  if (starts({"\xFF\xFE\0\0", 4}) || starts({"\0\0\xFE\xFF", 4})) {
    name = "UTF-32";
  } else if (starts("\xFF\xFE") || starts("\xFE\xFF")) {
    name = "UTF-16";
  } else if (bytes.size() >= 4 && bytes[0] != 0 && bytes.substr(1, 1) == kNul && bytes[2] != 0 &&
             bytes.substr(3, 1) == kNul) {
    name = "UTF-16LE";
  } else if (bytes.size() >= 4 && bytes.substr(0, 1) == kNul && bytes[1] != 0 &&
             bytes.substr(2, 1) == kNul && bytes[3] != 0) {
    name = "UTF-16BE";
  } else {
    return;
  }
  throw DataError(fmt::format("{}:1: the file is {}; expected UTF-8: `{}`", path.string(), name,
                              iconv_command(path, name)));
}

}  // namespace diffuse
