#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "diffuse/text/ngrams.hpp"
#include "text_parts.hpp"

namespace diffuse {

/// The different n-grams of some texts, by hash, those of a text ascending.
struct HashedPart {
  TextPart part;
  std::vector<std::uint64_t> hashes;
  std::vector<float> counts;      // of each hash
  std::vector<std::size_t> ends;  ///< of each text, in `hashes`
};

/// Reads the texts of `hashed.part`.
inline void hash_part(const NgramReader& reader, std::span<const std::string_view> texts,
                      HashedPart& hashed) {
  std::vector<std::uint64_t> all;
  for (std::size_t i = hashed.part.begin; i < hashed.part.end; ++i) {
    all.clear();
    reader.read(texts[i], all);
    std::sort(all.begin(), all.end());
    for (std::size_t at = 0; at < all.size();) {
      const std::size_t first = at;
      while (at < all.size() && all[at] == all[first]) ++at;
      hashed.hashes.push_back(all[first]);
      hashed.counts.push_back(static_cast<float>(at - first));
    }
    hashed.ends.push_back(hashed.hashes.size());
  }
}

}  // namespace diffuse
