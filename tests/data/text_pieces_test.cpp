#include "diffuse/data/text_pieces.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace diffuse {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;

constexpr std::int32_t kBegin = 101, kEnd = 102;

template <class T>
std::vector<T> listed(std::span<const T> values) {
  return {values.begin(), values.end()};
}

PackedRows packed(const std::vector<std::vector<std::int32_t>>& texts) {
  std::vector<std::int32_t> tokens;
  std::vector<std::int32_t> offsets = {0};
  std::vector<std::int64_t> labels;
  for (const auto& text : texts) {
    tokens.insert(tokens.end(), text.begin(), text.end());
    offsets.push_back(static_cast<std::int32_t>(tokens.size()));
    labels.push_back(std::ssize(labels) + 7);
  }
  return {tokens, offsets, labels};
}

TEST(TextPieces, AreAsEquallyLongAsCanBe) {
  const auto cut =
      cut_into_pieces(packed({{1, 2}, {3, 4, 5, 6, 7, 8, 9}, {10, 11, 12}}), {.most_tokens = 3});
  ASSERT_TRUE(cut);
  EXPECT_THAT(cut->counts, ElementsAre(1, 3, 1));
  const PackedRows& rows = cut->rows;
  EXPECT_THAT(listed(rows.tokens()), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12));
  EXPECT_THAT(listed(rows.offsets()), ElementsAre(0, 2, 4, 6, 9, 12));
  EXPECT_THAT(listed(rows.labels()), ElementsAre(7, 8, 8, 8, 9));
  const float third = 1.0F / 3;
  EXPECT_THAT(listed(rows.weights()),
              ElementsAre(1.0F, FloatEq(third), FloatEq(third), FloatEq(third), 1.0F));
  EXPECT_TRUE(rows.distributions().empty());
}

TEST(TextPieces, HaveTheSpecialTokensOfTheText) {
  const PieceRule rule{.most_tokens = 5, .special_tokens = true};
  const auto cut =
      cut_into_pieces(packed({{kBegin, 1, 2, 3, kEnd}, {kBegin, 4, 5, 6, 7, kEnd}}), rule);
  ASSERT_TRUE(cut);
  EXPECT_THAT(cut->counts, ElementsAre(1, 2));
  EXPECT_THAT(listed(cut->rows.tokens()), ElementsAre(kBegin, 1, 2, 3, kEnd,  //
                                                      kBegin, 4, 5, kEnd, kBegin, 6, 7, kEnd));
  EXPECT_THAT(listed(cut->rows.offsets()), ElementsAre(0, 5, 9, 13));
}

TEST(TextPieces, ShareTargetsOfTheirText) {
  PackedRows texts;
  texts.resize(4, 2, {.weights = true, .classes = 2, .several = true});
  std::ranges::copy(std::vector<std::int32_t>{1, 2, 3, 4}, texts.tokens().begin());
  std::ranges::copy(std::vector<std::int32_t>{0, 1, 4}, texts.offsets().begin());
  std::ranges::copy(std::vector<std::int64_t>{0, 1}, texts.labels().begin());
  std::ranges::copy(std::vector<float>{5, 6}, texts.weights().begin());
  std::ranges::copy(std::vector<float>{0.1F, 0.2F, 0.3F, 0.4F}, texts.distributions().begin());
  const auto cut = cut_into_pieces(texts, {.most_tokens = 2});
  ASSERT_TRUE(cut);
  EXPECT_THAT(listed(cut->rows.offsets()), ElementsAre(0, 1, 2, 4));
  EXPECT_THAT(listed(cut->rows.weights()), ElementsAre(5, 3, 3));
  EXPECT_THAT(listed(cut->rows.distributions()), ElementsAre(0.1F, 0.2F, 0.3F, 0.4F, 0.3F, 0.4F));
  EXPECT_TRUE(cut->rows.several());
}

TEST(TextPieces, AreNoneWhereNoTextIsLonger) {
  EXPECT_FALSE(cut_into_pieces(packed({{1, 2}, {3}}), {.most_tokens = 2}));
  EXPECT_FALSE(cut_into_pieces(packed({{1, 2}, {3}}), {}));
  EXPECT_FALSE(cut_into_pieces(packed({}), {.most_tokens = 2}));
}

TEST(TextPieces, NoPieceIsLongerAndNoneIsEmpty) {
  for (std::int64_t length = 1; length < 60; ++length) {
    std::vector<std::int32_t> text(static_cast<std::size_t>(length));
    for (std::int64_t most = 3; most < 12; ++most) {
      for (const bool specials : {false, true}) {
        const PieceRule rule{.most_tokens = most, .special_tokens = specials};
        const auto cut = cut_into_pieces(packed({text}), rule);
        ASSERT_EQ(cut.has_value(), length > most);
        if (!cut) continue;
        ASSERT_EQ(cut->counts[0], rule.piece_count(length));
        const std::vector<std::int32_t> ends = listed(cut->rows.offsets());
        std::int64_t longest = 0, shortest = length;
        for (std::size_t i = 1; i < ends.size(); ++i) {
          longest = std::max<std::int64_t>(longest, ends[i] - ends[i - 1]);
          shortest = std::min<std::int64_t>(shortest, ends[i] - ends[i - 1]);
        }
        EXPECT_LE(longest, most);
        EXPECT_LE(longest - shortest, 1);
        EXPECT_GT(shortest, specials ? 2 : 0);
      }
    }
  }
}

TEST(TextPieces, TheRuleIsThatOfTheConfig) {
  TokenizerConfig config;
  config.max_tokens = 9;
  config.special_tokens = true;
  EXPECT_EQ(piece_rule(config).most_tokens, 0);
  EXPECT_EQ(config.cut_at(), 9);
  config.long_texts = LongTexts::pool;
  EXPECT_EQ(piece_rule(config).most_tokens, 9);
  EXPECT_TRUE(piece_rule(config).special_tokens);
  EXPECT_EQ(config.cut_at(), 0);
}

}  // namespace
}  // namespace diffuse
