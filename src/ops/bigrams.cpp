#include "diffuse/ops/bigrams.hpp"

namespace diffuse {

void bigram_rows(std::span<const std::int32_t> tokens, std::span<const std::int32_t> offsets,
                 std::int64_t buckets, std::span<std::int32_t> rows) {
  for (std::size_t text = 0; text + 1 < offsets.size(); ++text) {
    std::int64_t previous = 0;
    for (auto i = static_cast<std::size_t>(offsets[text]);
         i < static_cast<std::size_t>(offsets[text + 1]); ++i) {
      rows[i] = bigram_row(previous, tokens[i], buckets);
      previous = std::int64_t{tokens[i]} + 1;
    }
  }
}

}  // namespace diffuse
