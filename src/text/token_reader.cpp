#include "diffuse/text/token_reader.hpp"

#include "special_tokens.hpp"

namespace diffuse {

TokenReader::TokenReader(const Tokenizer& tokenizer, TokenizerType type) : type_(type) {
  const std::string vocabulary = tokenizer.vocab_text();
  for (std::size_t begin = 0; begin < vocabulary.size();) {
    const std::size_t end = vocabulary.find('\n', begin);
    tokens_.push_back(vocabulary.substr(begin, end - begin));
    begin = end == std::string::npos ? vocabulary.size() : end + 1;
  }
}

std::string TokenReader::text(std::span<const std::int32_t> ids) const {
  const auto specials = static_cast<std::int32_t>(kSpecialTokens.size());
  std::string text;
  for (const std::int32_t id : ids) {
    if (id < 0 || id >= static_cast<std::int32_t>(tokens_.size())) continue;
    const std::string& token = tokens_[static_cast<std::size_t>(id)];
    if (type_ == TokenizerType::bytes && id >= specials) {
      text.push_back(static_cast<char>(id - specials));
    } else if (type_ == TokenizerType::wordpiece && token.starts_with(kContinuation)) {
      text.append(token, kContinuation.size());
    } else {
      if (!text.empty()) text.push_back(' ');
      text.append(token);
    }
  }
  return text;
}

}  // namespace diffuse
