// The rows of pairs: by text, the same in both kernels, and spread over the table.

#include "diffuse/ops/bigrams.hpp"

#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

#include "diffuse/ops/reference/bigrams.hpp"

namespace diffuse {
namespace {

std::vector<std::int32_t> rows_of(const std::vector<std::int32_t>& tokens,
                                  const std::vector<std::int32_t>& offsets, std::int64_t buckets) {
  std::vector<std::int32_t> rows(tokens.size());
  bigram_rows(tokens, offsets, buckets, rows);
  return rows;
}

TEST(Bigrams, ArePairsWithinATextAndWithItsBeginning) {
  const std::int64_t buckets = 1 << 20;
  const auto pair = [](std::int64_t first, std::int64_t second) {
    return bigram_row(first + 1, second, 1 << 20);
  };
  constexpr std::int64_t kBeginning = -1;
  EXPECT_EQ(rows_of({7, 8, 7, 8, 9}, {0, 2, 5}, buckets),
            (std::vector<std::int32_t>{pair(kBeginning, 7), pair(7, 8), pair(kBeginning, 7),
                                       pair(7, 8), pair(8, 9)}));
  const std::set<std::int32_t> different = {pair(kBeginning, 7), pair(7, 8), pair(8, 7), pair(8, 9),
                                            pair(kBeginning, 8)};
  EXPECT_EQ(different.size(), 5U);
}

// Checkpoints depend on it; the numbers are those of scripts/reference_model.py.
TEST(Bigrams, TheHashIsTheSameForEver) {
  EXPECT_EQ(bigram_row(0, 0, 1 << 20), 0);
  EXPECT_EQ(bigram_row(1, 2, 1 << 20), 339854);
  EXPECT_EQ(bigram_row(1000, 44910, 262144), 35956);
  EXPECT_EQ(bigram_row(2147483647, 2147483646, 1 << 28), 160353514);
  EXPECT_EQ(bigram_row(30001, 17, 1000), 721);
}

TEST(Bigrams, TensorOperationsGiveTheSameRows) {
  std::vector<std::int32_t> tokens;
  for (std::int32_t i = 0; i < 3000; ++i) tokens.push_back(i * 7919 % 40009 + (i % 2 << 30));
  const std::vector<std::int32_t> offsets = {0, 1, 2, 700, 701, 3000};
  for (const std::int64_t buckets : {1, 12, 1000, 1 << 18, 1 << 28}) {
    const at::Tensor expected = at::tensor(rows_of(tokens, offsets, buckets));
    EXPECT_TRUE(at::equal(
        reference_bigram_rows(at::tensor(tokens), at::tensor(offsets), buckets).to(at::kInt),
        expected))
        << buckets;
  }
  EXPECT_EQ(reference_bigram_rows(at::tensor(std::vector<std::int32_t>{3}),
                                  at::tensor(std::vector<std::int32_t>{0, 1}), 99)
                .item<std::int64_t>(),
            bigram_row(0, 3, 99));
}

TEST(Bigrams, CommonWordsPairsAreSpreadAsChanceWould) {
  for (const std::int64_t buckets : {10'000, 1 << 16, 1 << 18}) {
    std::vector<bool> taken(static_cast<std::size_t>(buckets));
    std::int64_t used = 0;
    constexpr std::int64_t kWords = 300;
    for (std::int64_t first = 0; first < kWords; ++first)
      for (std::int64_t second = 0; second < kWords; ++second) {
        const std::int32_t row = bigram_row(first, second, buckets);
        ASSERT_GE(row, 0);
        ASSERT_LT(row, buckets);
        used += taken[static_cast<std::size_t>(row)] ? 0 : 1;
        taken[static_cast<std::size_t>(row)] = true;
      }
    const auto all = static_cast<double>(buckets);
    const double expected = all * (1 - std::exp(-kWords * kWords / all));
    EXPECT_NEAR(static_cast<double>(used), expected, 0.02 * expected) << buckets;
  }
}

}  // namespace
}  // namespace diffuse
