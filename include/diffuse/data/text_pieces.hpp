#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/data/packed_rows.hpp"

namespace diffuse {

/// How a text that is longer than what a model reads at once is cut into pieces
/// (tokenizer.long_texts = pool).
struct PieceRule {
  std::int64_t most_tokens = 0;  ///< of a piece; 0: texts are left whole
  /// Each piece begins and ends with the text's first and last token, [CLS] and [SEP].
  bool special_tokens = false;

  /// Of a text of `length` tokens: 1 where it is left whole.
  std::int64_t piece_count(std::int64_t length) const;
};

/// That of a config; most_tokens = 0 where texts are cut off.
PieceRule piece_rule(const TokenizerConfig& tokenizer);

struct TextPieces {
  /// The pieces of each text one behind the other, as equally long as can be, each with the text's
  /// label and distribution and its share of the text's weight.
  PackedRows rows;
  std::vector<std::int32_t> counts;  ///< [B] pieces of each text
};

/// Nothing where no text is longer than rule.most_tokens.
std::optional<TextPieces> cut_into_pieces(const PackedRows& texts, const PieceRule& rule);

}  // namespace diffuse
