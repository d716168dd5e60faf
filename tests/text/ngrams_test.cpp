#include "diffuse/text/ngrams.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "diffuse/base/error.hpp"

namespace diffuse {
namespace {

using ::testing::ElementsAre;

NgramConfig words(std::int64_t max) {
  NgramConfig config;
  config.max = max;
  config.min_count = 1;
  return config;
}

NgramConfig characters(std::int64_t least, std::int64_t most) {
  NgramConfig config;
  config.char_min = least;
  config.char_max = most;
  config.min_count = 1;
  return config;
}

std::vector<std::uint64_t> read(const NgramConfig& config, std::string_view text,
                                bool lowercase = true) {
  std::vector<std::uint64_t> hashes;
  NgramReader(config, lowercase).read(text, hashes);
  return hashes;
}

std::size_t different(std::vector<std::uint64_t> hashes) {
  return std::set<std::uint64_t>(hashes.begin(), hashes.end()).size();
}

TEST(NgramReader, ReadsAllSequencesOfUpToSoManyWords) {
  EXPECT_EQ(read(words(1), "a b c").size(), 3U);
  EXPECT_EQ(read(words(2), "a b c").size(), 5U);
  EXPECT_EQ(read(words(3), "a b c").size(), 6U);
  EXPECT_EQ(read(words(3), "a").size(), 1U);
  EXPECT_EQ(read(words(2), "").size(), 0U);
}

TEST(NgramReader, TakesPunctuationMarksForWords) {
  EXPECT_EQ(read(words(1), "not bad!").size(), 3U);
  EXPECT_EQ(read(words(2), "not bad!"), read(words(2), "Not  bad !"));
}

TEST(NgramReader, KeepsCaseWhereItIsAskedTo) {
  EXPECT_NE(read(words(1), "Bush", false), read(words(1), "bush", false));
  EXPECT_EQ(read(words(1), "Bush"), read(words(1), "bush"));
}

TEST(NgramReader, TellsOrderAndLengthApart) {
  // Of a b, b a, and the words themselves.
  std::vector<std::uint64_t> all = read(words(2), "a b");
  const std::vector<std::uint64_t> turned = read(words(2), "b a");
  all.insert(all.end(), turned.begin(), turned.end());
  EXPECT_EQ(different(all), 4U);
  EXPECT_EQ(different(read(words(3), "a a a")), 3U) << "a, a a and a a a";
}

TEST(NgramReader, ANewTextBeginsWithoutTheWordsOfTheLast) {
  const NgramReader reader(words(2), true);
  std::vector<std::uint64_t> hashes;
  reader.read("a", hashes);
  reader.read("b", hashes);
  EXPECT_EQ(hashes.size(), 2U);
}

TEST(NgramReader, ReadsCharactersInsideOfWords) {
  // " ab ": " a", "ab", "b ".
  EXPECT_EQ(read(characters(2, 2), "ab").size(), 3U);
  // and " ab", "ab ".
  EXPECT_EQ(read(characters(2, 3), "ab").size(), 5U);
  EXPECT_EQ(read(characters(2, 2), "ab cd").size(), 6U) << "none across the blank";
  EXPECT_EQ(read(characters(4, 5), "ab").size(), 1U) << "only the whole word is as long";
}

TEST(NgramReader, CountsCodePointsNotBytes) {
  EXPECT_EQ(read(characters(2, 2), "äö").size(), 3U);
  EXPECT_EQ(read(characters(1, 1), "\xFF").size(), 3U) << "a damaged byte is U+FFFD";
}

// Each character of them is a word, so sequences of up to `max` are there already.
TEST(NgramReader, ReadsCharactersInARowInScriptsWithoutBlanks) {
  NgramConfig both = words(2);
  both.char_min = 3;
  both.char_max = 4;
  const std::string five = "昨天股市跌";  // 5 words, 4 pairs, 3 of three characters, 2 of four
  EXPECT_EQ(read(both, five).size(), 5U + 4U + 3U + 2U);
  EXPECT_EQ(different(read(both, five)), 14U);
  EXPECT_EQ(read(characters(2, 3), five).size(), 4U + 3U);
  EXPECT_EQ(read(both, "昨天，股市").size(), 5U + 4U + 1U) << "the comma parts them: ' ， '";
  EXPECT_EQ(read(both, "股市abc跌").size(), 4U + 3U + 3U + 2U)
      << "' ab', 'abc', 'bc ', and of four";
  const std::vector<PlacedNgram> placed = NgramReader(both, true).read_placed(five);
  std::map<std::string, bool> found;
  for (const PlacedNgram& ngram : placed)
    found[five.substr(ngram.place.begin, ngram.place.end - ngram.place.begin)] = ngram.characters;
  EXPECT_EQ(found.size(), 14U);
  EXPECT_FALSE(found.at("股市"));
  EXPECT_TRUE(found.at("天股市"));
  EXPECT_TRUE(found.at("昨天股市"));
  std::vector<std::uint64_t> hashes;
  for (const PlacedNgram& ngram : placed) hashes.push_back(ngram.hash);
  EXPECT_EQ(hashes, read(both, five));
}

TEST(NgramReader, TellsWordsFromCharacters) {
  NgramConfig both = words(1);
  both.char_min = 3;
  both.char_max = 3;
  EXPECT_EQ(different(read(both, "a")), 2U) << "the word a and the characters ' a '";
}

class VocabularyTest : public ::testing::Test {
 protected:
  /// Builds from `texts` with `threads` and returns the vocabulary and the texts' n-grams by it.
  std::pair<NgramVocabulary, NgramTexts> build(const NgramConfig& config,
                                               const std::vector<std::string_view>& texts,
                                               std::int64_t threads = 2, std::size_t block = 1000) {
    WorkerPool pool(threads);
    NgramVocabularyBuilder builder(config, true);
    NgramTexts all;
    all.offsets = {0};
    NgramTexts part;
    for (std::size_t first = 0; first < texts.size(); first += block) {
      builder.encode(std::span(texts).subspan(first, std::min(block, texts.size() - first)), pool,
                     part);
      const auto base = std::ssize(all.values);
      all.values.insert(all.values.end(), part.values.begin(), part.values.end());
      for (std::size_t i = 1; i < part.offsets.size(); ++i)
        all.offsets.push_back(base + part.offsets[i]);
    }
    NgramVocabularyBuilder::Vocabulary made = builder.build();
    NgramTexts mapped;
    mapped.offsets = {0};
    for (std::size_t i = 0; i + 1 < all.offsets.size(); ++i) {
      const std::size_t begin = mapped.values.size();
      for (auto k = static_cast<std::size_t>(all.offsets[i]);
           k < static_cast<std::size_t>(all.offsets[i + 1]); ++k) {
        const std::int32_t id = made.final_ids[all.values[k].id];
        if (id >= 0) mapped.values.push_back({id, all.values[k].value});
      }
      sort_ngrams(mapped.values, begin);
      mapped.offsets.push_back(std::ssize(mapped.values));
    }
    return {std::move(made.vocabulary), std::move(mapped)};
  }

  static std::vector<std::string> random_texts(std::size_t count) {
    std::vector<std::string> texts;
    std::uint32_t state = 1;
    for (std::size_t i = 0; i < count; ++i) {
      std::string text;
      for (int k = 0; k < 12; ++k) {
        state = state * 1664525 + 1013904223;
        text.append("w").append(std::to_string((state >> 16) % 50)).append(" ");
      }
      texts.push_back(text);
    }
    return texts;
  }
};

TEST_F(VocabularyTest, NumbersTheMostFrequentFirst) {
  const auto [vocabulary, texts] = build(words(1), {"a b c", "a b", "a a a"});
  EXPECT_EQ(vocabulary.size(), 3);
  const auto id = [&, &vocabulary = vocabulary](std::string_view word) {
    return vocabulary.find(read(words(1), word).front());
  };
  EXPECT_EQ(id("a"), 0);
  EXPECT_EQ(id("b"), 1);
  EXPECT_EQ(id("c"), 2);
  EXPECT_EQ(id("d"), -1);
  EXPECT_EQ(texts.offsets, (std::vector<std::int64_t>{0, 3, 5, 6}));
  EXPECT_EQ(texts.values.back(), (NgramValue{0, 3})) << "a, three times";
}

TEST_F(VocabularyTest, LeavesOutWhatTooFewTextsHave) {
  NgramConfig config = words(1);
  config.min_count = 2;
  const auto [vocabulary, texts] = build(config, {"a b c", "a b", "c2 c2 c2"});
  EXPECT_EQ(vocabulary.size(), 2) << "c2 is there three times, but in one text";
  EXPECT_EQ(texts.offsets, (std::vector<std::int64_t>{0, 2, 4, 4}));
}

TEST_F(VocabularyTest, TheCountThatIsAskedForDependsOnTheRows) {
  NgramConfig config = words(1);
  config.min_count = 0;
  const std::vector<std::string_view> few = {"once", "twice", "twice"};
  EXPECT_EQ(build(config, few).first.size(), 2);
  std::vector<std::string_view> many(10'000, "twice");
  many[0] = "once";
  EXPECT_EQ(build(config, many).first.size(), 1);
}

TEST_F(VocabularyTest, DependsNeitherOnThreadsNorOnBlocks) {
  const std::vector<std::string> texts = random_texts(300);
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  const auto [expected, rows] = build(words(3), views, 1, 300);
  for (const std::int64_t threads : {2, 3, 7}) {
    for (const std::size_t block : {17U, 300U}) {
      const auto [vocabulary, other] = build(words(3), views, threads, block);
      EXPECT_TRUE(std::ranges::equal(vocabulary.hashes(), expected.hashes()));
      EXPECT_EQ(other.values, rows.values);
      EXPECT_EQ(other.offsets, rows.offsets);
    }
  }
}

TEST_F(VocabularyTest, EncodesOtherTextsAsThoseItWasMadeOf) {
  const std::vector<std::string> texts = random_texts(100);
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  for (const std::int64_t bound : {1'000'000, 200}) {
    NgramConfig config = words(2);
    config.max_features = bound;
    const auto [vocabulary, rows] = build(config, views);
    EXPECT_LE(vocabulary.size(), bound);
    WorkerPool pool(3);
    NgramTexts encoded;
    vocabulary.encode(views, pool, encoded);
    EXPECT_EQ(encoded.values, rows.values);
    EXPECT_EQ(encoded.offsets, rows.offsets);
  }
}

TEST_F(VocabularyTest, WhatIsBeyondTheBoundSharesBuckets) {
  NgramConfig config = words(1);
  config.max_features = 8;
  const std::vector<std::string> texts = random_texts(100);
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  const auto [vocabulary, rows] = build(config, views);
  EXPECT_EQ(vocabulary.size(), 8);
  EXPECT_EQ(vocabulary.buckets(), 2);
  const std::int32_t other = vocabulary.find(read(words(1), "never-seen").front());
  EXPECT_GE(other, 6);
  EXPECT_LT(other, 8);
  float sum = 0;
  for (const NgramValue& ngram : rows.values) sum += ngram.value;
  EXPECT_EQ(sum, 1200) << "every word counts somewhere";
}

TEST_F(VocabularyTest, RefusesANumberForTheSameNgramTwice) {
  EXPECT_THROW(NgramVocabulary(words(1), true, {5, 6, 5}, 0), DataError);
}

TEST_F(VocabularyTest, ReadsTheNextTextsMeanwhile) {
  WorkerPool pool(2);
  NgramVocabularyBuilder builder(words(1), true);
  NgramTexts encoded;
  int called = 0;
  const std::vector<std::string_view> texts = {"a", "b"};
  builder.encode(texts, pool, encoded, [&] { ++called; });
  builder.build().vocabulary.encode(texts, pool, encoded, [&] { ++called; });
  EXPECT_EQ(called, 2);
}

}  // namespace
}  // namespace diffuse
