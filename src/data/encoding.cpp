#include "encoding.hpp"

#include <fmt/core.h>

#include "diffuse/base/text_util.hpp"

namespace diffuse {

std::optional<BadRow> find_bad_bytes(std::string_view text, std::uint32_t line,
                                     const std::string& where, const std::filesystem::path& path) {
  if (const auto at = invalid_utf8_at(text)) {
    const auto byte = static_cast<unsigned char>(text[*at]);
    const std::string_view before = text.substr(*at < 20 ? 0 : *at - 20, *at < 20 ? *at : 20);
    return BadRow{line,
                  where.empty()
                      ? fmt::format("invalid UTF-8: byte 0x{:02X} at column {}", byte, *at + 1)
                      : fmt::format("invalid UTF-8 {}: byte 0x{:02X} behind \"{}\"", where, byte,
                                    printable(before)),
                  utf8_expected(byte, path)};
  }
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    return BadRow{line,
                  where.empty() ? fmt::format("NUL character at column {}", nul + 1)
                                : "NUL character " + where,
                  "text"};
  }
  return std::nullopt;
}

}  // namespace diffuse
