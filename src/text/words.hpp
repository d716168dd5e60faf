#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "diffuse/text/tokenizer.hpp"
#include "special_tokens.hpp"
#include "token_table.hpp"

namespace diffuse {

/// Words and single punctuation marks (PlainWordSplitter); the vocabulary holds the special tokens,
/// then the words.
class WordsTokenizer final : public Tokenizer {
 public:
  /// Vocabulary = the special tokens and `words`, which differ.
  WordsTokenizer(const std::vector<std::string>& words, bool lowercase);
  /// Reads what `vocab_text` gave. Throws DataError (file:line).
  WordsTokenizer(const std::filesystem::path& vocab_path, bool lowercase);

  std::int64_t encode(std::string_view text, std::int64_t max_tokens,
                      std::vector<std::int32_t>& ids) const override;
  std::int64_t vocab_size() const override { return table_.size(); }
  std::int32_t mask_id() const override { return kMaskId; }
  std::int32_t unknown_id() const override { return kUnknownId; }
  std::string vocab_text() const override;

 private:
  TokenTable table_;  // index = id
  bool lowercase_;
};

}  // namespace diffuse
