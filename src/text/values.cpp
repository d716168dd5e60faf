#include "values.hpp"

namespace diffuse {

std::int64_t ValuesTokenizer::encode(std::string_view text, std::int64_t max_tokens,
                                     std::vector<std::int32_t>& ids) const {
  const auto length = static_cast<std::int64_t>(text.size());
  if (max_tokens > 0) text = text.substr(0, static_cast<std::size_t>(max_tokens));
  // Not reserved: room for exactly one text more would move all that stands there with each text.
  for (const char c : text) ids.push_back(static_cast<unsigned char>(c));
  return length;
}

std::vector<PlacedToken> ValuesTokenizer::encode_placed(std::string_view text,
                                                        std::int64_t max_tokens) const {
  std::vector<std::int32_t> ids;
  encode(text, max_tokens, ids);
  std::vector<PlacedToken> tokens;
  for (std::size_t i = 0; i < ids.size(); ++i)
    tokens.push_back({ids[i], {i, i + 1}, static_cast<std::int32_t>(i)});
  return tokens;
}

std::string ValuesTokenizer::vocab_text() const {
  std::string content;
  for (int value = 0; value < kHidden; ++value) content += std::to_string(value) + "\n";
  return content + "[MASK]\n";
}

}  // namespace diffuse
