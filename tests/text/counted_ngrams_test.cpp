// N-grams of more texts than memory has room to count them all.

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "diffuse/text/ngrams.hpp"
#include "support.hpp"

namespace diffuse {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::views_of;

using Row = std::vector<NgramValue>;

NgramConfig counted_config(std::int64_t counted, std::int64_t min_count) {
  NgramConfig config;
  config.max = 1;
  config.min_count = min_count;
  config.counted = counted;
  return config;
}

struct Built {
  NgramVocabulary vocabulary;
  Forgotten forgotten;
  std::vector<Row> rows;
};

/// The vocabulary of `texts`, which come in blocks, and their n-grams by it.
Built built(const NgramConfig& config, const std::vector<std::string>& texts, std::size_t block,
            std::int64_t threads = 2) {
  WorkerPool pool(threads);
  NgramVocabularyBuilder builder(config, true);
  const std::vector<std::string_view> views = views_of(texts);
  std::vector<Row> rows;
  NgramTexts encoded;
  for (std::size_t first = 0; first < views.size(); first += block) {
    builder.encode(std::span(views).subspan(first, std::min(block, views.size() - first)), pool,
                   encoded);
    for (std::size_t i = 0; i + 1 < encoded.offsets.size(); ++i)
      rows.emplace_back(encoded.values.begin() + encoded.offsets[i],
                        encoded.values.begin() + encoded.offsets[i + 1]);
  }
  NgramVocabularyBuilder::Vocabulary made = builder.build();
  for (Row& row : rows) {
    for (NgramValue& ngram : row) ngram.id = made.final_ids[ngram.id];
    std::erase_if(row, [](const NgramValue& ngram) { return ngram.id < 0; });
    sort_ngrams(row, 0);
  }
  return {std::move(made.vocabulary), made.forgotten, std::move(rows)};
}

std::vector<Row> encoded_by(const NgramVocabulary& vocabulary,
                            const std::vector<std::string>& texts) {
  WorkerPool pool(2);
  NgramTexts encoded;
  vocabulary.encode(views_of(texts), pool, encoded);
  std::vector<Row> rows;
  for (std::size_t i = 0; i + 1 < encoded.offsets.size(); ++i)
    rows.emplace_back(encoded.values.begin() + encoded.offsets[i],
                      encoded.values.begin() + encoded.offsets[i + 1]);
  return rows;
}

std::vector<std::uint64_t> hashes_of(const NgramVocabulary& vocabulary) {
  return {vocabulary.hashes().begin(), vocabulary.hashes().end()};
}

/// 20 frequent words and many that come once or twice.
std::vector<std::string> texts_of_many_ngrams() {
  std::vector<std::string> texts;
  for (int i = 0; i < 6000; ++i)
    texts.push_back(fmt::format("common{} rare{} twice{}", i % 20, i, i % 3000));
  return texts;
}

TEST(CountedNgrams, TheFrequentOnesOfManyAreFound) {
  const std::vector<std::string> texts = texts_of_many_ngrams();
  const Built all = built(counted_config(1'000'000, 20), texts, 100);
  EXPECT_EQ(all.forgotten.times, 0);
  EXPECT_EQ(all.vocabulary.size(), 20);
  const Built some = built(counted_config(1000, 20), texts, 100);
  EXPECT_GT(some.forgotten.times, 5);
  EXPECT_GE(some.forgotten.error, some.forgotten.times) << "what came once was forgotten each time";
  EXPECT_LE(some.forgotten.error, 2 * some.forgotten.times);
  EXPECT_EQ(hashes_of(some.vocabulary), hashes_of(all.vocabulary));
  EXPECT_EQ(some.rows, all.rows);
  EXPECT_EQ(some.rows, encoded_by(some.vocabulary, texts));
}

TEST(CountedNgrams, DoNotDependOnTheThreads) {
  const std::vector<std::string> texts = texts_of_many_ngrams();
  const Built one = built(counted_config(1000, 1), texts, 130, 1);
  EXPECT_GT(one.vocabulary.size(), 100);
  for (const std::int64_t threads : {2, 3, 7}) {
    const Built other = built(counted_config(1000, 1), texts, 130, threads);
    EXPECT_EQ(hashes_of(other.vocabulary), hashes_of(one.vocabulary));
    EXPECT_EQ(other.rows, one.rows);
    EXPECT_EQ(other.forgotten.times, one.forgotten.times);
    EXPECT_EQ(other.forgotten.error, one.forgotten.error);
  }
}

TEST(CountedNgrams, ThatWereForgottenAreGoneAndCountedAnew) {
  std::vector<std::string> texts = {"late often"};
  for (int i = 0; i < 20; ++i) texts.push_back(fmt::format("a{} b{} often", i, i));
  for (int i = 0; i < 3; ++i) texts.emplace_back("late often");
  const Built made = built(counted_config(10, 3), texts, 7);
  EXPECT_GT(made.forgotten.times, 1);
  EXPECT_EQ(made.vocabulary.size(), 2);
  EXPECT_THAT(made.rows.front(), ElementsAre(NgramValue{0, 1})) << "late was forgotten behind it";
  EXPECT_THAT(made.rows[1], ElementsAre(NgramValue{0, 1}));
  EXPECT_THAT(made.rows.back(), ElementsAre(NgramValue{0, 1}, NgramValue{1, 1}));
}

TEST(CountedNgrams, TheMiddleIsFoundAmongLargeCounts) {
  std::vector<std::string> texts(70'000, "a b c");
  texts.insert(texts.end(), 10, "a");
  const Built made = built(counted_config(2, 1), texts, texts.size());
  EXPECT_EQ(made.forgotten.times, 1);
  EXPECT_EQ(made.forgotten.error, 70'000);
  EXPECT_EQ(made.vocabulary.size(), 1) << "a came ten times more than b and c";
  EXPECT_THAT(made.rows.front(), ElementsAre(NgramValue{0, 1}));
}

TEST(CountedNgrams, WhereSomeWereForgottenThoseBeyondTheBoundShareNoNumbers) {
  NgramConfig config = counted_config(1000, 1);
  config.max_features = 10;
  const std::vector<std::string> texts = texts_of_many_ngrams();
  const Built made = built(config, texts, 100);
  EXPECT_EQ(made.vocabulary.size(), 10);
  EXPECT_EQ(made.vocabulary.buckets(), 0);
  EXPECT_THAT(encoded_by(made.vocabulary, {"never-seen"}).front(), IsEmpty());
  EXPECT_EQ(made.rows, encoded_by(made.vocabulary, texts));
}

}  // namespace
}  // namespace diffuse
