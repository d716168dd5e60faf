#pragma once

#include <cstdint>

namespace diffuse {

/// What counting in bounded memory left out: words of a VocabularyBuilder, n-grams of a
/// NgramVocabularyBuilder.
struct Forgotten {
  std::int64_t times = 0;  ///< how often the rarest were forgotten
  std::int64_t error = 0;  ///< most that a count lacks
};

}  // namespace diffuse
