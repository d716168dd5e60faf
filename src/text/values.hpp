#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "diffuse/text/tokenizer.hpp"

namespace diffuse {

/// Every byte of a text as the number that it is: its id, 0 … 255. 256 is a number that is hidden.
class ValuesTokenizer final : public Tokenizer {
 public:
  std::int64_t encode(std::string_view text, std::int64_t max_tokens,
                      std::vector<std::int32_t>& ids) const override;
  /// Each number is a word.
  std::vector<PlacedToken> encode_placed(std::string_view text,
                                         std::int64_t max_tokens) const override;
  std::int64_t vocab_size() const override { return kHidden + 1; }
  std::int32_t mask_id() const override { return kHidden; }
  std::int32_t unknown_id() const override { return kHidden; }
  /// The numbers in decimal, then "[MASK]".
  std::string vocab_text() const override;

 private:
  static constexpr std::int32_t kHidden = 256;
};

}  // namespace diffuse
