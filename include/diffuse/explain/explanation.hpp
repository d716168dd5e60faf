#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "diffuse/text/text_span.hpp"

namespace diffuse {

/// What a part of an explanation is.
enum class PartKind {
  word,        ///< the network's: a word, or its pieces together
  pair,        ///< the network's: a hashed pair of two words
  added,       ///< the network's: tokens that are not of the text ([CLS])
  ngram,       ///< the linear branch's: a sequence of words, wherever it stands
  characters,  ///< the linear branch's: the sequences of characters inside of a word
};

/// Something in a text that spoke for a class, or against it.
struct ExplainedPart {
  PartKind kind = PartKind::word;
  std::vector<TextSpan>
      places{};             ///< ascending; one, but of n-grams and their words all; of `added` none
  bool unknown = false;     ///< a word that the network's vocabulary lacks
  double contribution = 0;  ///< to the logit
};

/// A class's logit in parts: logit = baseline + the parts' contributions + error().
struct Explanation {
  std::int32_t label = 0;
  double logit = 0;
  double baseline = 0;                 ///< what a text without words has
  std::vector<ExplainedPart> parts{};  ///< those of the largest contributions, either sign, first
  /// Behind the last byte that the network reads, where tokenizer.max_tokens cuts the text.
  std::size_t read_end = std::string_view::npos;

  double error() const;
};

/// A word of a text, and what of all contributions falls to it.
struct WordShare {
  TextSpan place;
  double contribution = 0;
};

/// The words of `text` in their order; each part's contribution is shared evenly by the words of
/// all its places.
std::vector<WordShare> share_among_words(const Explanation& explanation, std::string_view text);

}  // namespace diffuse
