#include "text_parts.hpp"

#include <algorithm>

namespace diffuse {

std::vector<TextPart> cut_into_parts(std::span<const std::string_view> texts,
                                     std::int64_t threads) {
  // Waking a thread takes longer than the few texts of a slow pipe.
  constexpr std::size_t kFewTexts = 16;
  constexpr std::size_t kPartsAThread = 4;
  const std::size_t wanted =
      texts.size() < kFewTexts || threads <= 1
          ? 1
          : std::min(texts.size(), kPartsAThread * static_cast<std::size_t>(threads));
  std::size_t total = 0;
  for (const std::string_view text : texts) total += text.size();
  std::vector<TextPart> parts(1);
  std::size_t seen = 0;
  for (std::size_t i = 0; i < texts.size() && parts.size() < wanted; ++i) {
    seen += texts[i].size();
    if (seen * wanted < total * parts.size()) continue;
    parts.back().end = i + 1;
    parts.push_back({i + 1, i + 1});
  }
  parts.back().end = texts.size();
  return parts;
}

void run_parts(WorkerPool& pool, std::size_t parts, const std::function<void(std::size_t)>& encode,
               const std::function<void()>& meanwhile) {
  const std::int64_t others = meanwhile ? 1 : 0;
  pool.run(static_cast<std::int64_t>(parts) + others, [&](std::int64_t task, std::int64_t) {
    if (task < others) {
      meanwhile();
    } else {
      encode(static_cast<std::size_t>(task - others));
    }
  });
}

}  // namespace diffuse
