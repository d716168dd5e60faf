#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "diffuse/text/tokenizer.hpp"
#include "special_tokens.hpp"

namespace diffuse {

/// Every byte a token, as it is: byte b has id 3 + b, after the special tokens.
class BytesTokenizer final : public Tokenizer {
 public:
  std::int64_t encode(std::string_view text, std::int64_t max_tokens,
                      std::vector<std::int32_t>& ids) const override;
  /// A word ends with the blanks behind it.
  std::vector<PlacedToken> encode_placed(std::string_view text,
                                         std::int64_t max_tokens) const override;
  std::int64_t vocab_size() const override { return kSpecialTokens.size() + 256; }
  std::int32_t mask_id() const override { return kMaskId; }
  std::int32_t unknown_id() const override { return kUnknownId; }
  /// The special tokens, then "<00>" to "<ff>".
  std::string vocab_text() const override;
};

}  // namespace diffuse
