#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "diffuse/base/random.hpp"
#include "support.hpp"

namespace diffuse {
namespace {

using ::testing::ElementsAre;
using testing::ids_of;
using ::testing::IsEmpty;
using testing::views_of;
using testing::words_of;

std::vector<std::unique_ptr<Tokenizer>> all_tokenizers() {
  const std::string vocabulary =
      std::string(DIFFUSE_SOURCE_DIR) + "/data/bert-base-uncased/vocab.txt";
  std::vector<std::unique_ptr<Tokenizer>> tokenizers;
  for (const bool lowercase : {true, false}) {
    TokenizerConfig config;
    config.type = TokenizerType::wordpiece;
    config.lowercase = lowercase;
    tokenizers.push_back(load_tokenizer(config, vocabulary));
    config.type = TokenizerType::words;
    config.min_count = 1;
    tokenizers.push_back(words_of(config, {"some words , \u00e9 and 1 2 3"}));
  }
  TokenizerConfig config;
  for (const TokenizerType type : {TokenizerType::bytes, TokenizerType::values}) {
    config.type = type;
    tokenizers.push_back(load_tokenizer(config, ""));
  }
  return tokenizers;
}

std::vector<std::string> some_texts(std::size_t count) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < count; ++i) {
    std::string text = i % 7 == 3 ? "" : "Some words, number " + std::to_string(i);
    if (i % 5 == 0) {
      for (std::size_t k = 0; k < 20 * i; ++k) text += " déjà-vu 中文";
    }
    texts.push_back(text);
  }
  return texts;
}

TEST(EncodeBatch, GivesWhatEncodeGivesWithAnyNumberOfThreads) {
  const auto tokenizers = all_tokenizers();
  for (const auto& tokenizer : tokenizers) {
    for (const std::size_t count : {0u, 1u, 2u, 3u, 40u}) {
      const std::vector<std::string> texts = some_texts(count);
      std::vector<std::int32_t> expected_ids;
      std::vector<std::int64_t> expected_offsets = {0};
      std::vector<std::int64_t> expected_lengths;
      for (const std::string& text : texts) {
        const auto before = static_cast<std::int64_t>(expected_ids.size());
        expected_lengths.push_back(tokenizer->encode(text, 50, expected_ids));
        EXPECT_LE(static_cast<std::int64_t>(expected_ids.size()) - before, 50);
        expected_offsets.push_back(static_cast<std::int64_t>(expected_ids.size()));
      }
      for (const int threads : {1, 2, 3, 8}) {
        WorkerPool pool(threads);
        EncodedTexts encoded{{99}, {99}, {99}};  // earlier content must go
        encode_batch(*tokenizer, views_of(texts), 50, pool, encoded);
        EXPECT_EQ(encoded.lengths, expected_lengths) << count << " texts, " << threads;
        EXPECT_EQ(encoded.ids, expected_ids) << count << " texts, " << threads;
        EXPECT_EQ(encoded.offsets, expected_offsets) << count << " texts, " << threads;
      }
    }
  }
}

TEST(EncodeBatch, TextsWithoutAnyByte) {
  const auto tokenizers = all_tokenizers();
  WorkerPool pool(4);
  EncodedTexts encoded;
  encode_batch(*tokenizers.front(), std::vector<std::string_view>(5), 0, pool, encoded);
  EXPECT_THAT(encoded.ids, IsEmpty());
  EXPECT_THAT(encoded.offsets, ElementsAre(0, 0, 0, 0, 0, 0));
}

TEST(EncodeBatch, DoesSomethingElseMeanwhileOnce) {
  const auto tokenizers = all_tokenizers();
  for (const std::size_t count : {0U, 1U, 40U}) {
    for (const int threads : {1, 3}) {
      WorkerPool pool(threads);
      EncodedTexts encoded;
      int calls = 0;
      const std::vector<std::string> texts = some_texts(count);
      encode_batch(*tokenizers.front(), views_of(texts), 0, pool, encoded, [&] { ++calls; });
      EXPECT_EQ(calls, 1);
      EXPECT_EQ(encoded.lengths.size(), count);
      EXPECT_THROW(encode_batch(*tokenizers.front(), views_of(texts), 0, pool, encoded,
                                [] { throw DataError("unreadable"); }),
                   DataError);
    }
  }
}

TEST(AnyTokenizer, ManyTextsMoveTheIdsBeforeThemRarely) {
  const std::string text = "some words and 1";
  for (const auto& tokenizer : all_tokenizers()) {
    std::vector<std::int32_t> ids;
    int moves = 0;
    for (int i = 0; i < 4000; ++i) {
      const std::size_t room = ids.capacity();
      tokenizer->encode(text, 0, ids);
      if (ids.capacity() != room) ++moves;
    }
    EXPECT_LE(moves, 40) << ids.size() << " ids";
  }
}

TEST(AnyTokenizer, RandomBytesNeverThrowAndGiveIdsOfTheVocabulary) {
  const auto tokenizers = all_tokenizers();
  Random random(20240607);
  // Bytes that make and break sequences come more often than their share.
  const std::string special =
      std::string("\0 \t\n.a#\x80\xBF\xC2\xCC\x81\xE4\xED\xA0\xF0\x9F\xF4\xFF", 19);
  for (int round = 0; round < 3000; ++round) {
    std::string text(random.below(round % 50 == 0 ? 3000 : 60), '\0');
    for (char& c : text) {
      c = random.below(2) == 0 ? special[random.below(special.size())]
                               : static_cast<char>(random.below(256));
    }
    for (const auto& tokenizer : tokenizers) {
      const std::vector<std::int32_t> ids = ids_of(*tokenizer, text);
      EXPECT_LE(ids.size(), text.size());
      for (const std::int32_t id : ids) {
        ASSERT_GE(id, 0);
        ASSERT_LT(id, tokenizer->vocab_size());
      }
      std::vector<std::int32_t> cut;
      ASSERT_EQ(tokenizer->encode(text, 5, cut), static_cast<std::int64_t>(ids.size()))
          << "the length is the whole text's, whatever the limit";
      ASSERT_EQ(cut.size(), std::min<std::size_t>(5, ids.size()));
      ASSERT_TRUE(std::equal(cut.begin(), cut.end(), ids.begin()));
    }
  }
}

}  // namespace
}  // namespace diffuse
