#include "diffuse/model/masked_words.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "diffuse/base/error.hpp"

namespace diffuse {
namespace {

constexpr std::int32_t kMask = 2;
// Words 0 to 2 are no words; 10 is nearly all words, so that it alone counts as common.
const std::vector<std::int64_t> kCounts = {0, 0, 0, 400, 200, 200, 100, 50, 30, 20, 100'000'000};

PretrainConfig hiding(double masked, std::int64_t negatives) {
  PretrainConfig config;
  config.masked = masked;
  config.negatives = negatives;
  return config;
}

/// 1,000 texts of 20 words, in the shares of kCounts.
struct Texts {
  Texts() {
    for (std::int32_t i = 0; i < 20'000; ++i) {
      std::int64_t place = (i * 7919LL) % 1000;
      std::int32_t word = 3;
      while (place >= kCounts[static_cast<std::size_t>(word)])
        place -= kCounts[static_cast<std::size_t>(word++)];
      tokens.push_back(word);
      if (i % 20 == 0) offsets.push_back(i);
    }
    offsets.push_back(20'000);
  }
  std::vector<std::int32_t> tokens{};
  std::vector<std::int32_t> offsets{};
};

TEST(MaskedWords, AreThoseOfTheBatchInTheirPlaces) {
  Texts texts;
  texts.tokens[4] = 1;  // no word: it stays
  WordMasker masker(kCounts, kMask, hiding(0.3, 4));
  MaskedWords hidden;
  masker.hide(texts.tokens, texts.offsets, {.seed = 5, .update = 3}, hidden);
  ASSERT_EQ(hidden.places.size(), hidden.labels.size());
  ASSERT_EQ(hidden.starts.size(), texts.offsets.size());
  EXPECT_EQ(hidden.starts.back(), std::ssize(hidden.places));
  std::set<std::int32_t> places(hidden.places.begin(), hidden.places.end());
  for (std::size_t m = 0; m < hidden.places.size(); ++m)
    EXPECT_EQ(hidden.candidates.at(static_cast<std::size_t>(hidden.labels[m])),
              texts.tokens[static_cast<std::size_t>(hidden.places[m])]);
  for (std::size_t text = 0; text + 1 < texts.offsets.size(); ++text)
    for (std::int32_t m = hidden.starts[text]; m < hidden.starts[text + 1]; ++m) {
      EXPECT_GE(hidden.places[static_cast<std::size_t>(m)], texts.offsets[text]);
      EXPECT_LT(hidden.places[static_cast<std::size_t>(m)], texts.offsets[text + 1]);
    }
  for (std::int32_t i = 0; i < std::ssize(texts.tokens); ++i) {
    if (!places.contains(i)) {
      EXPECT_EQ(hidden.tokens[static_cast<std::size_t>(i)],
                texts.tokens[static_cast<std::size_t>(i)]);
    }
  }
  EXPECT_FALSE(places.contains(4));
  const std::set<std::int32_t> candidates(hidden.candidates.begin(), hidden.candidates.end());
  EXPECT_EQ(candidates.size(), hidden.candidates.size()) << "each once";
  EXPECT_GE(*candidates.begin(), 3) << "what is no word is no candidate";
}

TEST(MaskedWords, EightInTenAreHiddenOneIsAnotherWordOneStays) {
  const Texts texts;
  WordMasker masker(kCounts, kMask, hiding(0.3, 4));
  MaskedWords hidden;
  masker.hide(texts.tokens, texts.offsets, {.seed = 1, .update = 1}, hidden);
  const auto count = static_cast<double>(hidden.places.size());
  EXPECT_NEAR(count / 20'000, 0.3, 0.015);
  double masked = 0;
  double same = 0;
  for (const std::int32_t place : hidden.places) {
    const auto i = static_cast<std::size_t>(place);
    masked += hidden.tokens[i] == kMask ? 1 : 0;
    same += hidden.tokens[i] == texts.tokens[i] ? 1 : 0;
  }
  EXPECT_NEAR(masked / count, 0.8, 0.02);
  EXPECT_NEAR(same / count, 0.1, 0.015) << "the random word is mostly the common one";
}

TEST(MaskedWords, AreCommonOnesLessOften) {
  // Word 10 is nearly all words, of which half as many are to be hidden: with 0.3 / 2.
  const std::vector<std::int32_t> tokens(100'000, 10);
  const std::vector<std::int32_t> offsets = {0, 100'000};
  WordMasker masker(kCounts, kMask, hiding(0.3, 4));
  MaskedWords hidden;
  masker.hide(tokens, offsets, {.seed = 1, .update = 1}, hidden);
  EXPECT_NEAR(static_cast<double>(hidden.places.size()), 15'000, 500);
}

PretrainConfig hiding_spans(double masked, std::int64_t span) {
  PretrainConfig config = hiding(masked, 4);
  config.span = span;
  return config;
}

TEST(MaskedWords, InSpansAreAsManyAndShareTheirFate) {
  std::vector<std::int32_t> tokens(200'000, 3);
  for (std::size_t i = 0; i < tokens.size(); i += 2) tokens[i] = 10;  // a common one
  const std::vector<std::int32_t> offsets = {0, 100'000, 100'003, 200'000};
  for (const std::int64_t span : {2, 5}) {
    WordMasker masker(kCounts, kMask, hiding_spans(0.3, span));
    MaskedWords hidden;
    masker.hide(tokens, offsets, {.seed = 1, .update = 1}, hidden);
    EXPECT_NEAR(static_cast<double>(hidden.places.size()) / 200'000, 0.3, 0.006) << span;
    double common = 0;
    for (const std::int32_t place : hidden.places)
      common += tokens[static_cast<std::size_t>(place)] == 10 ? 1 : 0;
    EXPECT_NEAR(common / static_cast<double>(hidden.places.size()), 0.5, 0.01);
    // Spans that meet are whole ones, so a run has a multiple of their length, but for one at a
    // text's end; from its beginning on each span is hidden, replaced or left as a whole.
    std::size_t m = 0;
    while (m < hidden.places.size()) {
      std::size_t end = m + 1;
      const std::int32_t first = hidden.places[m];
      const auto text_end = *std::upper_bound(offsets.begin(), offsets.end(), first);
      while (end < hidden.places.size() && hidden.places[end] == hidden.places[end - 1] + 1 &&
             hidden.places[end] < text_end)
        ++end;
      const auto length = static_cast<std::int64_t>(end - m);
      const bool cut = first + length == text_end;
      EXPECT_TRUE(cut || length % span == 0) << first;
      for (; m < end; ++m) {
        const std::int64_t within = (hidden.places[m] - first) % span;
        const auto shown = [&](std::int64_t back) {
          return hidden.tokens[static_cast<std::size_t>(hidden.places[m] - back)];
        };
        EXPECT_EQ(shown(0) == kMask, shown(within) == kMask) << hidden.places[m];
      }
    }
  }
}

TEST(MaskedWords, OfFewKindsAllAreCandidates) {
  const Texts texts;
  for (const std::int64_t span : {1, 5}) {
    PretrainConfig config = hiding_spans(0.3, span);
    config.negatives = 8;  // as many as there are
    WordMasker masker(kCounts, kMask, config);
    MaskedWords hidden;
    for (std::uint32_t update = 1; update < 4; ++update) {
      masker.hide(texts.tokens, texts.offsets, {.seed = 1, .update = update}, hidden);
      ASSERT_EQ(hidden.candidates.size(), 8U);
      double sum = 0;
      for (const float bias : hidden.bias) sum += std::exp(static_cast<double>(bias));
      EXPECT_NEAR(sum, 1, 1e-5) << "the shares of what is hidden";
    }
    masker.hide(std::vector<std::int32_t>{1}, std::vector<std::int32_t>{0, 1}, {.seed = 1}, hidden);
    EXPECT_TRUE(hidden.candidates.empty());
  }
}

TEST(MaskedWords, InASpanWhatIsNoWordStays) {
  std::vector<std::int32_t> tokens(10'000, 3);
  for (std::size_t i = 0; i < tokens.size(); i += 3) tokens[i] = 1;
  const std::vector<std::int32_t> offsets = {0, 10'000};
  WordMasker masker(kCounts, kMask, hiding_spans(0.5, 4));
  MaskedWords hidden;
  masker.hide(tokens, offsets, {.seed = 1, .update = 1}, hidden);
  EXPECT_FALSE(hidden.places.empty());
  for (const std::int32_t place : hidden.places) EXPECT_NE(place % 3, 0);
  for (std::size_t i = 0; i < tokens.size(); i += 3) EXPECT_EQ(hidden.tokens[i], 1);
}

TEST(MaskedWords, DependOnThePlaceAlone) {
  const Texts texts;
  WordMasker masker(kCounts, kMask, hiding(0.3, 4));
  const auto at = [&](const RandomPlace& place) {
    MaskedWords hidden;
    masker.hide(texts.tokens, texts.offsets, place, hidden);
    return hidden.places;
  };
  const auto first = at({.seed = 1, .update = 1});
  EXPECT_NE(first, at({.seed = 2, .update = 1}));
  EXPECT_NE(first, at({.seed = 1, .update = 2}));
  EXPECT_NE(first, at({.seed = 1, .update = 1, .batch = 1}));
  EXPECT_EQ(first, at({.seed = 1, .update = 1}));
}

TEST(MaskedWords, BiasesMakeUpForHowOftenAWordIsACandidate) {
  // The sum over candidates of what each stands for, divided by q, is that over all words, on the
  // average: so each word's 1 / q, where it is a candidate, is 1.
  const std::vector<std::int32_t> tokens = {3, 4, 3, 6, 3, 5, 9, 3, 4, 7};
  const std::vector<std::int32_t> offsets = {0, 4, 10};
  std::vector<std::int64_t> counts(kCounts.size());
  for (const std::int32_t word : tokens) ++counts[static_cast<std::size_t>(word)];
  // All are common: √share decides how often each is hidden.
  double roots = 0;
  for (const std::int64_t n : counts) roots += std::sqrt(static_cast<double>(n));
  WordMasker masker(counts, kMask, hiding(0.99, 2));
  MaskedWords hidden;
  std::vector<double> estimates(counts.size());
  double batches = 0;
  constexpr int kBatches = 40'000;
  for (std::uint32_t update = 1; update <= kBatches; ++update) {
    masker.hide(tokens, offsets, {.seed = 9, .update = update}, hidden);
    batches += hidden.places.empty() ? 0 : 1;
    for (std::size_t c = 0; c < hidden.candidates.size(); ++c) {
      const auto word = static_cast<std::size_t>(hidden.candidates[c]);
      const double share = std::sqrt(static_cast<double>(counts[word])) / roots;
      estimates[word] += std::exp(static_cast<double>(hidden.bias[c])) / share;  // 1 / q
    }
  }
  for (const std::size_t word : {3U, 4U, 5U, 6U, 7U, 9U}) {
    // In batches that hide something: there are no candidates without. Words are hidden without
    // putting back, so that q is not quite that of so small a batch.
    EXPECT_NEAR(estimates[word] / batches, 1, 0.2) << word;
  }
}

TEST(MaskedWords, OfTextsWithoutWordsThereAreNone) {
  EXPECT_THROW(WordMasker(std::vector<std::int64_t>(3), kMask, hiding(0.3, 4)), DataError);
  WordMasker masker(kCounts, kMask, hiding(0.3, 4));
  MaskedWords hidden;
  masker.hide(std::vector<std::int32_t>{1, 1, 0}, std::vector<std::int32_t>{0, 2, 3}, {.seed = 1},
              hidden);
  EXPECT_TRUE(hidden.places.empty());
  EXPECT_TRUE(hidden.candidates.empty());
  EXPECT_EQ(hidden.starts, (std::vector<std::int32_t>{0, 0, 0}));
}

}  // namespace
}  // namespace diffuse
