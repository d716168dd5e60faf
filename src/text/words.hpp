#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "diffuse/text/tokenizer.hpp"
#include "special_tokens.hpp"
#include "string_table.hpp"

namespace diffuse {

/// Words and single punctuation marks (PlainWordSplitter); the vocabulary holds the special tokens,
/// then the words.
class WordsTokenizer final : public Tokenizer {
 public:
  /// `vocabulary`: the special tokens, then the words.
  WordsTokenizer(StringTable vocabulary, bool lowercase)
      : table_(std::move(vocabulary)), lowercase_(lowercase) {}
  /// Reads what `vocab_text` gave. Throws DataError (file:line).
  WordsTokenizer(const std::filesystem::path& vocab_path, bool lowercase);

  std::int64_t encode(std::string_view text, std::int64_t max_tokens,
                      std::vector<std::int32_t>& ids) const override;
  std::vector<PlacedToken> encode_placed(std::string_view text,
                                         std::int64_t max_tokens) const override;
  std::int64_t vocab_size() const override { return table_.size(); }
  std::int32_t mask_id() const override { return kMaskId; }
  std::int32_t unknown_id() const override { return kUnknownId; }
  std::string vocab_text() const override { return table_.lines(); }

 private:
  std::int32_t id_of(std::string_view word) const {
    const std::int32_t id = table_.find(word);
    return id == StringTable::kMissing ? kUnknownId : id;
  }

  StringTable table_;  // index = id
  bool lowercase_;
};

}  // namespace diffuse
