#include "diffuse/explain/explanation.hpp"

#include <algorithm>
#include <utility>

#include "diffuse/config/config.hpp"
#include "diffuse/text/ngrams.hpp"

namespace diffuse {

double Explanation::error() const {
  double sum = baseline;
  for (const ExplainedPart& part : parts) sum += part.contribution;
  return logit - sum;
}

std::vector<WordShare> share_among_words(const Explanation& explanation, std::string_view text) {
  NgramConfig words_alone;
  words_alone.max = 1;
  words_alone.char_max = 0;
  std::vector<WordShare> words;
  for (const PlacedNgram& word : NgramReader(words_alone, true).read_placed(text))
    words.push_back({word.place});
  // The words that a place holds or touches.
  const auto touched = [&words](const TextSpan& place) {
    const auto first = std::lower_bound(
        words.begin(), words.end(), place.begin,
        [](const WordShare& word, std::size_t begin) { return word.place.end <= begin; });
    return std::pair(first, std::lower_bound(first, words.end(), place.end,
                                             [](const WordShare& word, std::size_t end) {
                                               return word.place.begin < end;
                                             }));
  };
  for (const ExplainedPart& part : explanation.parts) {
    std::ptrdiff_t all = 0;
    for (const TextSpan& place : part.places) {
      const auto [first, last] = touched(place);
      all += last - first;
    }
    for (const TextSpan& place : part.places) {
      const auto [first, last] = touched(place);
      for (auto word = first; word != last; ++word)
        word->contribution += part.contribution / static_cast<double>(all);
    }
  }
  return words;
}

}  // namespace diffuse
