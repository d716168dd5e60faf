#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "diffuse/text/tokenizer.hpp"
#include "string_table.hpp"

namespace diffuse {

/// BERT's WordPiece: greedy longest match from the left, pieces after the first written with "##";
/// a word that cannot be cut so, or has more than 100 code points, is [UNK].
class WordPieceTokenizer final : public Tokenizer {
 public:
  /// Reads `vocab.txt`. Throws DataError (file:line).
  WordPieceTokenizer(const std::filesystem::path& vocab_path, bool lowercase, bool special_tokens);

  std::int64_t encode(std::string_view text, std::int64_t max_tokens,
                      std::vector<std::int32_t>& ids) const override;
  std::vector<PlacedToken> encode_placed(std::string_view text,
                                         std::int64_t max_tokens) const override;
  std::int64_t vocab_size() const override { return starts_.size(); }
  std::int32_t mask_id() const override { return mask_id_; }
  std::int32_t unknown_id() const override { return unknown_id_; }
  std::int32_t pad_id() const override { return pad_id_; }
  std::string vocab_text() const override { return starts_.lines(); }

 private:
  /// Longest token of `table` that `text` begins with.
  struct Match {
    std::int32_t index = StringTable::kMissing;
    std::size_t length = 0;
  };
  static Match longest_match(const StringTable& table, std::string_view text);
  void encode_word(std::string_view word, std::vector<std::int32_t>& ids) const;

  StringTable starts_;                          // every token; index = id
  StringTable continuations_;                   // "##" tokens without the "##"
  std::vector<std::int32_t> continuation_ids_;  // id by index in `continuations_`
  std::int32_t unknown_id_ = 0;
  std::int32_t mask_id_ = 0;
  std::int32_t pad_id_ = 0;
  std::int32_t class_id_ = 0;      // [CLS]
  std::int32_t separator_id_ = 0;  // [SEP]
  bool lowercase_ = true;
  bool special_tokens_ = false;
};

}  // namespace diffuse
