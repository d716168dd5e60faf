#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/data/dataset.hpp"
#include "diffuse/ngrams/ngram_model.hpp"
#include "diffuse/text/ngrams.hpp"

namespace diffuse {

/// How much each n-gram of a model says of the rows `view`, [V]: |w| · scale · √(rows that have
/// it), where |w| is the root of the sum of its weights' squares over the classes. The data set of
/// `view` holds the rows' n-grams, by the model's numbers.
std::vector<double> ngram_influence(const NgramModel& model, const DatasetView& view);

/// A vocabulary of some of another one's n-grams.
struct PrunedVocabulary {
  NgramVocabulary vocabulary;
  std::vector<std::int32_t> new_ids;  ///< of each number of the other one; -1: it has gone
};

/// The part of `ngrams` n-grams that stays where nobody says another: a twentieth, but 20,000 at
/// least (TREC has 9,000, and 400 of them are worth two points less). All of them: 1.
constexpr double usual_part(std::int64_t ngrams) {
  constexpr double kPart = 0.05;
  constexpr double kLeast = 20'000;
  if (static_cast<double>(ngrams) <= kLeast) return 1;
  return std::max(kPart, kLeast / static_cast<double>(ngrams));
}

/// Keeps, of the n-grams with a number of their own, the part `keep` (above 0, at most 1), rounded
/// up, of the greatest `influence`, [V]; ties by number. They stay in their order. Numbers that
/// n-grams share by their hash go: nothing would tell which of these speaks.
PrunedVocabulary prune_vocabulary(const NgramVocabulary& vocabulary, const NgramConfig& config,
                                  bool lowercase, double keep, std::span<const double> influence);

/// save_ngrams in a form of 12 + C bytes an n-gram instead of 12 + 4 C: `weight` uint8 [V, C],
/// `step` bfloat16 [V] and `scale` bfloat16 [V], where a weight is step · (byte - 128) and each
/// n-gram's largest has up to 127 steps. load_ngrams reads both forms.
void save_ngrams_in_bytes(const std::filesystem::path& path, const NgramVocabulary& vocabulary,
                          const NgramModel& model);

}  // namespace diffuse
