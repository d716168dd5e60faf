#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/text/tokenizer.hpp"

namespace diffuse {

/// Token ids back to text that people can read: words with a blank between them, pieces of a word
/// joined, bytes as they were. What the tokenizer threw away (case, blanks, unknown words) stays
/// lost.
class TokenReader {
 public:
  TokenReader(const Tokenizer& tokenizer, TokenizerType type);

  /// Ids outside of the vocabulary are passed over.
  std::string text(std::span<const std::int32_t> ids) const;

 private:
  TokenizerType type_;
  std::vector<std::string> tokens_;  // by id
};

}  // namespace diffuse
