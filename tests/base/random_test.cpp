#include "diffuse/base/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

#include "diffuse/base/error.hpp"

namespace diffuse {
namespace {

// The published sequence of SplitMix64 for this seed.
TEST(Random, GivesTheKnownNumbers) {
  Random random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317ull);
  EXPECT_EQ(random.next(), 3203168211198807973ull);
  EXPECT_EQ(random.next(), 9817491932198370423ull);
}

TEST(Random, BelowGivesTheKnownNumbers) {
  Random random(42);
  std::vector<std::uint64_t> numbers(8);
  for (std::uint64_t& number : numbers) number = random.below(10);
  EXPECT_EQ(numbers, (std::vector<std::uint64_t>{3, 1, 8, 4, 0, 2, 5, 8}));
}

TEST(Random, BelowStaysBelow) {
  Random random(1);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(random.below(1), 0u);
  const std::uint64_t large = (1ull << 63) + 1;
  for (int i = 0; i < 1000; ++i) EXPECT_LT(random.below(large), large);
  EXPECT_THROW(random.below(0), Error);
}

TEST(Random, BelowReachesEveryNumberAboutEquallyOften) {
  Random random(3);
  std::vector<int> seen(7);
  for (int i = 0; i < 70'000; ++i) ++seen[random.below(7)];
  for (const int count : seen) EXPECT_NEAR(count, 10'000, 500);
}

TEST(MixSeed, GivesStreamsOfTheirOwn) {
  EXPECT_EQ(mix_seed(1, 0), 6791897765849424158ull);
  EXPECT_EQ(mix_seed(1, 1), 16860738450190168606ull);
  std::set<std::uint64_t> seeds;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    for (std::uint64_t stream = 0; stream < 30; ++stream) seeds.insert(mix_seed(seed, stream));
  }
  EXPECT_EQ(seeds.size(), 900u);
}

TEST(Shuffle, GivesTheKnownOrder) {
  std::vector<std::uint32_t> items(8);
  std::iota(items.begin(), items.end(), 0u);
  Random random(7);
  shuffle(items, random);
  EXPECT_EQ(items, (std::vector<std::uint32_t>{1, 4, 5, 2, 6, 0, 3, 7}));
}

TEST(Shuffle, KeepsEveryItem) {
  std::vector<std::uint32_t> items(1000);
  std::iota(items.begin(), items.end(), 0u);
  Random random(8);
  shuffle(items, random);
  EXPECT_FALSE(std::is_sorted(items.begin(), items.end()));
  std::sort(items.begin(), items.end());
  for (std::uint32_t i = 0; i < items.size(); ++i) EXPECT_EQ(items[i], i);
  std::vector<std::uint32_t> none;
  shuffle(none, random);
}

}  // namespace
}  // namespace diffuse
