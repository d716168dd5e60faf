#include "diffuse/data/dataset.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <numeric>
#include <vector>

#include "data/support.hpp"

namespace diffuse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;

/// `length` ids that depend on `seed` and place.
std::vector<std::int32_t> ids(std::size_t length, std::int32_t seed) {
  std::vector<std::int32_t> result(length);
  std::iota(result.begin(), result.end(), seed * 1000);
  return result;
}

void expect_row(const EncodedDataset& data, std::size_t row, std::size_t length,
                std::int32_t seed) {
  EXPECT_EQ(static_cast<std::size_t>(data.length(row)), length);
  EXPECT_EQ(testing::tokens_of(data, row), ids(length, seed));
}

TEST(EncodedDataset, KeepsTokensLabelsAndLines) {
  EncodedDataset data;
  data.append(ids(3, 1), 2, 10);
  data.append(ids(1, 2), -1, 4'000'000'000, 77);
  data.append(ids(2, 3), EncodedDataset::kMaxLabel, 12);
  ASSERT_EQ(data.size(), 3u);
  EXPECT_EQ(data.token_count(), 6);
  expect_row(data, 0, 3, 1);
  expect_row(data, 1, 1, 2);
  expect_row(data, 2, 2, 3);
  EXPECT_EQ(data.label(0), 2);
  EXPECT_EQ(data.label(1), -1);
  EXPECT_EQ(data.label(2), EncodedDataset::kMaxLabel);
  EXPECT_EQ(data.line(1), 4'000'000'000u);
  EXPECT_EQ(data.length(2), 2);
  EXPECT_EQ(data.mark(0), 0u);
  EXPECT_EQ(data.mark(1), 77u);
}

TEST(EncodedDataset, HoldsSequencesOfEveryLengthAcrossChunks) {
  constexpr std::size_t kChunk = EncodedDataset::kChunkTokens;
  const std::vector<std::size_t> lengths = {
      kChunk / 4, kChunk / 4, kChunk / 4, kChunk / 4, 0,          1, kChunk / 4 + 1, 7, kChunk,
      kChunk + 1, 5,          kChunk * 3, 2,          kChunk / 5, 0, kChunk / 4};
  EncodedDataset data;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    data.append(ids(lengths[i], static_cast<std::int32_t>(i)), 0, 1);
  }
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    expect_row(data, i, lengths[i], static_cast<std::int32_t>(i));
  }
}

TEST(EncodedDataset, HoldsMoreRowsThanAChunk) {
  EncodedDataset data;
  const std::size_t count = 2 * EncodedDataset::kChunkRows + 1;
  for (std::size_t i = 0; i < count; ++i) {
    data.append(ids(1 + i % 3, static_cast<std::int32_t>(i)), static_cast<std::int32_t>(i % 5),
                static_cast<std::uint32_t>(i + 1));
  }
  ASSERT_EQ(data.size(), count);
  for (std::size_t i = 0; i < count; ++i) {
    expect_row(data, i, 1 + i % 3, static_cast<std::int32_t>(i));
    ASSERT_EQ(data.label(i), static_cast<std::int32_t>(i % 5));
    ASSERT_EQ(data.line(i), i + 1);
  }
}

/// The promise of docs/data.md: 1.5 x (`id_bytes` a token + 20 bytes a row) plus a fixed buffer.
void expect_bounded(std::int32_t id, std::size_t id_bytes) {
  constexpr std::size_t kChunk = EncodedDataset::kChunkTokens;
  const std::size_t kBuffer = kChunk * id_bytes + EncodedDataset::kChunkRows * 20 + 4096;
  for (const std::size_t length :
       {std::size_t{1}, std::size_t{45}, std::size_t{5000}, kChunk / 4, kChunk / 4 + 1, kChunk}) {
    EncodedDataset data;
    const std::vector<std::int32_t> row(length, id);
    const std::size_t rows = 6 * kChunk / length;
    for (std::size_t i = 0; i < rows; ++i) {
      data.append(row, 0, 1);
      const std::size_t needed =
          id_bytes * static_cast<std::size_t>(data.token_count()) + 20 * data.size();
      ASSERT_GE(data.memory_bytes(), needed);
      ASSERT_LE(data.memory_bytes(), needed + needed / 2 + kBuffer)
          << "length " << length << ", rows " << data.size();
    }
  }
}

TEST(EncodedDataset, MemoryIsBounded) {
  expect_bounded(65'535, 2);
  expect_bounded(65'536, 4);
}

TEST(EncodedDataset, MapsTokensAcross16Bits) {
  constexpr std::int32_t kUnknown = 1;
  constexpr std::int32_t kLarge = std::numeric_limits<std::int32_t>::max();
  WorkerPool pool(2);
  std::vector<std::int32_t> to(70'001, kUnknown);
  EncodedDataset data;
  for (int i = 0; i < 100; ++i) data.append(std::vector<std::int32_t>{i, 7, 70'000}, 0, 1, 9);
  const std::size_t wide = data.memory_bytes();
  to[7] = 65'535;
  to[70'000] = 3;
  data.map_tokens(to, kUnknown, pool);
  EXPECT_THAT(testing::tokens_of(data, 99), ElementsAre(kUnknown, 65'535, 3));
  EXPECT_LT(data.memory_bytes(), wide) << "small ids take no room for large ones";
  to[3] = kLarge;
  to[65'535] = 65'536;
  data.map_tokens(to, kUnknown, pool);
  EXPECT_THAT(testing::tokens_of(data, 0), ElementsAre(kUnknown, 65'536, kLarge));
  EXPECT_EQ(data.memory_bytes(), wide);
}

TEST(EncodedDataset, MapsLabels) {
  EncodedDataset data;
  for (const int label : {1, 0, -1, 2}) data.append(ids(1, 0), label, 1);
  data.map_labels(std::vector<std::int32_t>{2, 0, 1});
  EXPECT_EQ(data.label(0), 0);
  EXPECT_EQ(data.label(1), 2);
  EXPECT_EQ(data.label(2), -1);
  EXPECT_EQ(data.label(3), 1);
  EXPECT_THAT(message_of<DataError>([&] { data.map_labels(std::vector<std::int32_t>{0}); }),
              HasSubstr("has no place among 1 labels"));
}

TEST(EncodedDataset, MapsTokensAndKeepsTheMarksOfUnknownOnes) {
  constexpr std::int32_t kUnknown = 1;
  const std::vector<std::int32_t> to = {0, kUnknown, 2, kUnknown, 7, 5};
  EncodedDataset data;
  constexpr std::uint32_t kRows = 3 * EncodedDataset::kChunkRows + 5;
  for (std::uint32_t i = 0; i < kRows; ++i) {
    const std::vector<std::int32_t> row = {5, 4, i % 3 == 0 ? 3 : 2};
    data.append(row, 0, i + 1, i + 1);
  }
  WorkerPool pool(3);
  data.map_tokens(to, kUnknown, pool);
  for (std::uint32_t i = 0; i < kRows; ++i) {
    const std::int32_t last = i % 3 == 0 ? kUnknown : 2;
    ASSERT_THAT(testing::tokens_of(data, i), ElementsAre(5, 7, last));
    ASSERT_EQ(data.mark(i), i % 3 == 0 ? i + 1 : 0);
    ASSERT_EQ(data.line(i), i + 1);
  }
}

TEST(EncodedDataset, RefusesLabelsThatDoNotFit) {
  EncodedDataset data;
  for (const std::int32_t label : {-2, EncodedDataset::kMaxLabel + 1}) {
    EXPECT_THAT(message_of<DataError>([&] { data.append(ids(1, 0), label, 1); }),
                HasSubstr("is out of range"));
  }
  EXPECT_EQ(data.size(), 0u);
}

TEST(DatasetView, CountsItsRows) {
  EncodedDataset data;
  data.append(std::vector<std::int32_t>{1, 2, 3}, 0, 1);
  data.append(std::vector<std::int32_t>{4}, 1, 2);
  EXPECT_THAT(view_all(data).rows, ElementsAre(0, 1));
  EXPECT_EQ(view_all(data).token_count(), 4);
  EXPECT_EQ((DatasetView{&data, {1}}).token_count(), 1);
  data.append(std::vector<std::int32_t>{5}, -1, 3);  // counts nowhere
  EXPECT_THAT(count_classes(view_all(data), 3), ElementsAre(1, 1, 0));
}

}  // namespace
}  // namespace diffuse
