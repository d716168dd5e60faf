#include "diffuse/ops/counter_random.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "diffuse/ops/fused_diffusion.hpp"

namespace diffuse {
namespace {

// The known answers of the Random123 distribution (kat_vectors, philox4x32 10).
TEST(Philox, GivesTheKnownAnswers) {
  const auto expect = [](const PhiloxBlock& counter, std::uint64_t seed,
                         const PhiloxBlock& answer) {
    const PhiloxBlock found = philox(counter, seed);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(found.words[i], answer.words[i]) << i;
  };
  expect({{0, 0, 0, 0}}, 0, {{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}});
  expect({{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}}, 0xffffffffffffffff,
         {{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}});
  expect({{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, 0x299f31d0a4093822,
         {{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}});
}

TEST(CounterRandom, DependsOnEveryPartOfThePlace) {
  const RandomPlace place{.seed = 5, .update = 7, .batch = 1};
  const auto bits = [](const RandomPlace& at, RandomStream stream, std::int64_t row) {
    std::vector<std::uint16_t> halves;
    for (std::int64_t c = 0; c < 16; ++c) halves.push_back(random_half(at, stream, row, c));
    return halves;
  };
  const auto base = bits(place, RandomStream::noise, 3);
  EXPECT_EQ(bits(place, RandomStream::noise, 3), base);
  EXPECT_NE(bits(place, RandomStream::noise, 4), base);
  EXPECT_NE(bits(place, RandomStream::embedding_dropout, 3), base);
  EXPECT_NE(bits({.seed = 6, .update = 7, .batch = 1}, RandomStream::noise, 3), base);
  EXPECT_NE(bits({.seed = 5, .update = 8, .batch = 1}, RandomStream::noise, 3), base);
  EXPECT_NE(bits({.seed = 5, .update = 7, .batch = 2}, RandomStream::noise, 3), base);
}

TEST(CounterRandom, NormalNumbersHaveTheMomentsOfTheirDistribution) {
  double sum = 0;
  double squares = 0;
  double fourth = 0;
  constexpr int kCount = 40000;
  for (int i = 0; i < kCount; ++i) {
    const double x = random_normal({.seed = 1}, i / 8, i % 8);
    sum += x;
    squares += x * x;
    fourth += x * x * x * x;
  }
  EXPECT_NEAR(sum / kCount, 0, 0.02);
  EXPECT_NEAR(squares / kCount, 1, 0.03);
  EXPECT_NEAR(fourth / kCount, 3, 0.2);
}

TEST(CounterRandom, TokensAreDroppedWhereTheirNumberSaysSo) {
  const RandomPlace place{.seed = 9, .update = 2};
  std::vector<std::int32_t> ids(1000, 5);
  drop_ids(place, RandomStream::token_dropout, 0.2, 1, 1, ids);
  const std::uint32_t kept = keep_threshold(0.2);
  std::int64_t dropped = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const bool keeps =
        random_half(place, RandomStream::token_dropout, static_cast<std::int64_t>(i), 0) < kept;
    EXPECT_EQ(ids[i], keeps ? 5 : 1) << i;
    if (!keeps) ++dropped;
  }
  EXPECT_NEAR(static_cast<double>(dropped), 200, 50);
}

TEST(CounterRandom, TokensAreDroppedInSpansThatMeet) {
  const RandomPlace place{.seed = 9, .update = 2};
  constexpr std::int64_t kSpan = 5;
  std::vector<std::int32_t> ids(20000, 5);
  drop_ids(place, RandomStream::token_dropout, 0.3, kSpan, 1, ids);
  // 1 - (1 - p)^5 = 0.3
  const std::uint32_t kept = keep_threshold(0.068845);
  std::int64_t dropped = 0;
  std::int64_t end = 0;
  for (std::int64_t i = 0; i < std::ssize(ids); ++i) {
    if (random_half(place, RandomStream::token_dropout, i, 0) >= kept) end = i + kSpan;
    ASSERT_EQ(ids[static_cast<std::size_t>(i)], i < end ? 1 : 5) << i;
    if (i < end) ++dropped;
  }
  EXPECT_NEAR(static_cast<double>(dropped) / 20000, 0.3, 0.02);
}

TEST(CounterRandom, AThresholdKeepsAllOrNothingAtTheEnds) {
  EXPECT_EQ(keep_threshold(0.0), 65536U);
  EXPECT_EQ(keep_threshold(0.5), 32768U);
  EXPECT_EQ(keep_threshold(1.0), 0U);
}

}  // namespace
}  // namespace diffuse
