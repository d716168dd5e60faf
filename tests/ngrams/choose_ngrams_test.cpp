#include "diffuse/ngrams/choose_ngrams.hpp"

#include <gtest/gtest.h>

#include "diffuse/base/random.hpp"

namespace diffuse {
namespace {

/// Texts of random words; `mark` lays in what tells their class.
template <class Mark>
NgramConfig chosen(const Mark& mark, bool all_rows = true) {
  constexpr std::size_t rows = 600;
  Random random(5);
  std::vector<std::string> texts;
  std::vector<std::int32_t> labels;
  const auto word = [&] { return std::to_string(1000 + random.below(300)); };
  for (std::size_t i = 0; i < rows; ++i) {
    const auto label = static_cast<std::int32_t>(random.below(2));
    std::string text;
    for (int k = 0; k < 3; ++k) text.append("x").append(word()).append(" ");
    text.append(mark(label, random));
    for (int k = 0; k < 3; ++k) text.append(" y").append(word());
    texts.push_back(text);
    labels.push_back(label);
  }
  WorkerPool pool(2);
  return choose_ngrams({}, true, texts, labels, {}, 2, all_rows, pool);
}

TEST(ChooseNgrams, NoCharactersWhereWordsTellAll) {
  const NgramConfig config =
      chosen([](std::int32_t label, Random&) { return label == 0 ? "good" : "bad"; });
  EXPECT_EQ(config.char_max, 0);
}

TEST(ChooseNgrams, WeightsByClassesWhereFewWordsOfManyTell) {
  const NgramConfig config = chosen([](std::int32_t label, Random& random) {
    return (label == 0 ? "good" : "bad") + std::to_string(random.below(60));
  });
  EXPECT_EQ(config.weighting, NgramWeighting::naive_bayes);
}

TEST(ChooseNgrams, NeverLessThanPairsOfTwoTextsWhereThereAreMoreRows) {
  const NgramConfig config =
      chosen([](std::int32_t label, Random&) { return label == 0 ? "good" : "bad"; }, false);
  EXPECT_GE(config.max, 2);
  EXPECT_EQ(config.min_count, 2);
}

TEST(ChooseNgrams, PairsWhereTheirOrderTells) {
  const NgramConfig config = chosen([](std::int32_t label, Random& random) {
    return (label == 0) == (random.below(2) == 0) ? "not good" : "good not";
  });
  EXPECT_GE(chosen([](std::int32_t label, Random&) { return label == 0 ? "a b" : "b a"; }).max, 2);
  EXPECT_EQ(config.char_max, 0) << "nothing tells here";
}

TEST(ChooseNgrams, CharactersWhereWordsAreNeverTheSame) {
  const NgramConfig config = chosen([](std::int32_t label, Random& random) {
    return std::to_string(random.next() % 100'000) + (label == 0 ? "grub" : "zift");
  });
  EXPECT_EQ(config.char_max, 5);
  EXPECT_EQ(config.char_min, 3);
}

TEST(ChooseNgrams, KeepsWhatItDoesNotChoose) {
  std::vector<std::string> texts = {"a b", "b c", "a c", "c d"};
  const std::vector<std::int32_t> labels = {0, 1, 0, 1};
  NgramConfig base;
  base.cost = 0.25;
  base.max_features = 123;
  WorkerPool pool(1);
  const NgramConfig config = choose_ngrams(base, true, texts, labels, {}, 2, true, pool);
  EXPECT_EQ(config.cost, 0.25);
  EXPECT_EQ(config.max_features, 123);
  EXPECT_TRUE(config.used());
}

}  // namespace
}  // namespace diffuse
