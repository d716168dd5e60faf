#include "bytes.hpp"

#include <fmt/core.h>

#include "unicode.hpp"

namespace diffuse {

std::int64_t BytesTokenizer::encode(std::string_view text, std::int64_t max_tokens,
                                    std::vector<std::int32_t>& ids) const {
  const auto length = static_cast<std::int64_t>(text.size());
  if (max_tokens > 0) text = text.substr(0, static_cast<std::size_t>(max_tokens));
  // Not reserved: room for exactly one text more would move all that stands there with each text.
  for (const char c : text) {
    ids.push_back(static_cast<std::int32_t>(kSpecialTokens.size()) + static_cast<unsigned char>(c));
  }
  return length;
}

std::vector<PlacedToken> BytesTokenizer::encode_placed(std::string_view text,
                                                       std::int64_t max_tokens) const {
  std::vector<std::int32_t> ids;
  encode(text, max_tokens, ids);
  std::vector<PlacedToken> tokens;
  std::int32_t word = 0;
  bool begun = false;  // blanks before the first word are a part of it
  bool in_word = false;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const bool blank = kAsciiRoles[static_cast<unsigned char>(text[i])] == AsciiRole::space;
    if (!blank && !in_word && begun) ++word;
    begun = begun || !blank;
    in_word = !blank;
    tokens.push_back({ids[i], {i, i + 1}, word});
  }
  return tokens;
}

std::string BytesTokenizer::vocab_text() const {
  std::string content;
  for (const std::string_view special : kSpecialTokens) content.append(special).push_back('\n');
  for (int byte = 0; byte < 256; ++byte) content += fmt::format("<{:02x}>\n", byte);
  return content;
}

}  // namespace diffuse
