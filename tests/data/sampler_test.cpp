#include "diffuse/data/sampler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "data/support.hpp"

namespace diffuse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Batches = std::vector<std::vector<std::uint32_t>>;

/// Rows of lengths 1 .. 97 in a mixed order.
EncodedDataset mixed_lengths(std::size_t rows) {
  EncodedDataset data;
  for (std::size_t i = 0; i < rows; ++i) {
    data.append(std::vector<std::int32_t>(1 + i * 31 % 97, 1), 0, 1);
  }
  return data;
}

std::vector<std::uint32_t> sorted_rows(const Batches& batches) {
  std::vector<std::uint32_t> rows;
  for (const auto& batch : batches) rows.insert(rows.end(), batch.begin(), batch.end());
  std::sort(rows.begin(), rows.end());
  return rows;
}

std::int64_t length_spread(const EncodedDataset& data, const Batches& batches) {
  std::int64_t sum = 0;
  for (const auto& batch : batches) {
    const auto [low, high] = std::minmax_element(batch.begin(), batch.end(), [&](auto a, auto b) {
      return data.length(a) < data.length(b);
    });
    sum += data.length(*high) - data.length(*low);
  }
  return sum;
}

TEST(EpochBatches, ATokenBudgetBoundsEveryBatch) {
  const EncodedDataset data = mixed_lengths(1003);
  const DatasetView all = view_all(data);
  const auto tokens_of = [&](const std::vector<std::uint32_t>& batch) {
    std::int64_t tokens = 0;
    for (const std::uint32_t row : batch) tokens += data.length(row);
    return tokens;
  };
  for (const std::int64_t budget : {1, 50, 97, 500}) {
    const Batches batches = epoch_batches(all, {100, 50, 7, budget}, 3);
    EXPECT_EQ(sorted_rows(batches), all.rows) << budget;
    for (const auto& batch : batches) {
      ASSERT_FALSE(batch.empty());
      EXPECT_LE(batch.size(), 100U);
      if (batch.size() > 1) {  // a text longer than the budget stands alone
        EXPECT_LE(tokens_of(batch), budget);
      }
    }
  }
  const Batches batches = epoch_batches(all, {100, 50, 7, 500}, 3);
  EXPECT_LT(static_cast<std::int64_t>(batches.size()), 2 * all.token_count() / 500)
      << "well filled";
}

TEST(EpochBatches, EveryRowOnceAndOneSmallerBatchAtMost) {
  const EncodedDataset data = mixed_lengths(1003);
  const DatasetView all = view_all(data);
  for (const std::int64_t window : {0, 1, 2, 50, 1'000'000'000}) {
    for (const std::int64_t size : {1, 10, 1003, 5000}) {
      const Batches batches = epoch_batches(all, {size, window, 7}, 3);
      EXPECT_EQ(sorted_rows(batches), all.rows) << window << " " << size;
      const auto smaller = std::count_if(batches.begin(), batches.end(), [&](const auto& batch) {
        return static_cast<std::int64_t>(batch.size()) < size;
      });
      EXPECT_LE(smaller, 1);
      EXPECT_EQ(static_cast<std::int64_t>(batches.size()), (1003 + size - 1) / size);
    }
  }
}

TEST(EpochBatches, UsesTheRowsOfTheView) {
  const EncodedDataset data = mixed_lengths(50);
  const DatasetView some{&data, {3, 8, 21, 40}};
  EXPECT_THAT(sorted_rows(epoch_batches(some, {3, 2, 1}, 0)), ElementsAre(3, 8, 21, 40));
  EXPECT_TRUE(epoch_batches({&data, {}}, {3, 2, 1}, 0).empty());
}

TEST(EpochBatches, DependOnSeedAndEpochAlone) {
  const EncodedDataset data = mixed_lengths(500);
  const DatasetView all = view_all(data);
  const Batches once = epoch_batches(all, {16, 5, 1}, 2);
  EXPECT_EQ(once, epoch_batches(all, {16, 5, 1}, 2));
  EXPECT_NE(once, epoch_batches(all, {16, 5, 1}, 3));
  EXPECT_NE(once, epoch_batches(all, {16, 5, 2}, 2));
}

// A position in an epoch is one number in a checkpoint: another order would make it a lie.
TEST(EpochBatches, AreTheSameOnEveryMachine) {
  EncodedDataset data;
  for (std::size_t i = 0; i < 20; ++i) {
    data.append(std::vector<std::int32_t>(1 + i * 7 % 5, 1), 0, 1);
  }
  EXPECT_THAT(
      epoch_batches(view_all(data), {4, 2, 1}, 0),
      ElementsAre(ElementsAre(6, 14, 9, 17), ElementsAre(3, 18, 13, 11), ElementsAre(16, 19, 2, 12),
                  ElementsAre(0, 10, 5, 8), ElementsAre(15, 1, 4, 7)));
}

TEST(EpochBatches, SortingBringsEqualLengthsTogether) {
  const EncodedDataset data = mixed_lengths(2000);
  const DatasetView all = view_all(data);
  const auto unsorted = length_spread(data, epoch_batches(all, {20, 1, 1}, 0));
  const auto sorted = length_spread(data, epoch_batches(all, {20, 25, 1}, 0));
  EXPECT_LT(sorted * 5, unsorted);
}

TEST(EpochBatches, AreNotInTheOrderOfLength) {
  const EncodedDataset data = mixed_lengths(2000);
  const Batches batches = epoch_batches(view_all(data), {20, 100, 1}, 0);
  EXPECT_FALSE(std::is_sorted(batches.begin(), batches.end(), [&](const auto& a, const auto& b) {
    return data.length(a.front()) < data.length(b.front());
  }));
}

TEST(EvaluationBatches, LongestFirst) {
  EncodedDataset data;
  for (const std::size_t length : {2, 5, 1, 5, 9}) {
    data.append(std::vector<std::int32_t>(length, 1), 0, 1);
  }
  EXPECT_THAT(evaluation_batches(view_all(data), 2),
              ElementsAre(ElementsAre(4, 1), ElementsAre(3, 0), ElementsAre(2)));
}

TEST(Batches, NeedASize) {
  const EncodedDataset data = mixed_lengths(3);
  EXPECT_THAT(testing::message_of<ConfigError>([&] { evaluation_batches(view_all(data), 0); }),
              HasSubstr("batch size 0; expected at least 1"));
  EXPECT_THAT(testing::message_of<ConfigError>([&] {
                epoch_batches(view_all(data), {0, 1, 1}, 0);
              }),
              HasSubstr("expected at least 1"));
}

}  // namespace
}  // namespace diffuse
