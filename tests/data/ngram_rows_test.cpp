#include "diffuse/data/ngram_rows.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "data/support.hpp"

namespace diffuse {
namespace {

using ::testing::HasSubstr;
using testing::LogCapture;
using testing::TempDir;

constexpr std::int32_t kNumbers = 3000;

std::vector<NgramValue> made_row(std::size_t i) {
  std::vector<NgramValue> row(i % 5 == 0 ? 0 : i * 7 % 90);
  for (std::size_t k = 0; k < row.size(); ++k)
    row[k] = {static_cast<std::int32_t>((i * 31 + k * k * 17) % kNumbers),
              static_cast<float>(1 + k % 4)};
  return row;
}

/// Rows that come in calls of 0, 1, 255, … texts.
void fill(NgramRows& rows) {
  std::size_t i = rows.size();
  for (const std::size_t count : {0, 1, 255, 256, 257, 1000, 3}) {
    NgramTexts texts;
    texts.offsets = {0};
    for (std::size_t k = 0; k < count; ++k, ++i) {
      const std::vector<NgramValue> row = made_row(i);
      texts.values.insert(texts.values.end(), row.begin(), row.end());
      texts.offsets.push_back(std::ssize(texts.values));
    }
    rows.append(texts);
  }
}

std::vector<std::vector<NgramValue>> all_of(const NgramRows& rows) {
  std::vector<std::vector<NgramValue>> all;
  for (std::size_t i = 0; i < rows.size(); ++i)
    all.emplace_back(rows.row(i).begin(), rows.row(i).end());
  return all;
}

std::int32_t becomes(std::int32_t number) { return number % 3 == 0 ? -1 : number % 50; }

/// What `map` should make of the rows.
std::vector<std::vector<NgramValue>> mapped_rows(std::size_t count) {
  std::vector<std::vector<NgramValue>> all;
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<NgramValue> row;
    for (const NgramValue& ngram : made_row(i))
      if (const std::int32_t to = becomes(ngram.id); to >= 0) row.push_back({to, ngram.value});
    sort_ngrams(row, 0);
    all.push_back(std::move(row));
  }
  return all;
}

TEST(NgramRows, KeepsRowsAsTheyCame) {
  NgramRows rows;
  EXPECT_EQ(rows.size(), 0U);
  EXPECT_EQ(rows.count(), 0);
  fill(rows);
  ASSERT_EQ(rows.size(), 1772U);
  std::int64_t count = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::vector<NgramValue> expected = made_row(i);
    ASSERT_EQ(std::vector<NgramValue>(rows.row(i).begin(), rows.row(i).end()), expected) << i;
    count += std::ssize(expected);
  }
  EXPECT_EQ(rows.count(), count);
}

TEST(NgramRows, GetOtherNumbersWhereTheyStand) {
  std::vector<std::int32_t> list;
  for (std::int32_t number = 0; number < kNumbers; ++number) list.push_back(becomes(number));
  const NumberMap map(kNumbers, [&](const auto& take) {
    for (std::int32_t number = 0; number < kNumbers; ++number)
      if (becomes(number) >= 0) take(number, becomes(number));
  });
  for (const std::int64_t threads : {1, 3}) {
    WorkerPool pool(threads);
    NgramRows by_list;
    NgramRows by_map;
    fill(by_list);
    fill(by_map);
    by_list.map(list, pool);
    by_map.map(map, pool);
    EXPECT_EQ(all_of(by_list), mapped_rows(by_list.size()));
    EXPECT_EQ(all_of(by_map), all_of(by_list));
  }
}

TEST(NgramRows, ThoseInAFileAreThoseInMemory) {
  const TempDir dir;
  WorkerPool pool(2);
  std::vector<std::int32_t> to;
  for (std::int32_t number = 0; number < kNumbers; ++number) to.push_back(becomes(number));
  for (const std::size_t heap : {std::size_t{0}, std::size_t{100'000}}) {
    NgramRows in_memory;
    NgramRows in_file(dir.path(), heap);
    fill(in_memory);
    fill(in_file);
    EXPECT_EQ(in_memory.file_bytes(), 0U);
    EXPECT_GT(in_file.file_bytes(), 300'000U);
    EXPECT_EQ(all_of(in_file), all_of(in_memory));
    in_memory.map(to, pool);
    in_file.map(to, pool);
    EXPECT_EQ(all_of(in_file), all_of(in_memory));
    fill(in_memory);  // further rows behind mapped ones
    fill(in_file);
    EXPECT_EQ(all_of(in_file), all_of(in_memory));
    NgramRows other = in_file.empty_copy();
    EXPECT_EQ(other.size(), 0U);
    fill(other);
    EXPECT_GT(other.file_bytes(), 300'000U);
    EXPECT_TRUE(std::filesystem::is_empty(dir.path())) << "the file has no name";
  }
}

TEST(NgramRows, WithoutAPlaceForTheFileMemoryServesAndItIsSaid) {
  const TempDir dir;
  const auto file = dir.write("file", "no folder");
  const LogCapture log;
  NgramRows rows(file / "cache", 0);
  fill(rows);
  EXPECT_EQ(rows.file_bytes(), 0U);
  EXPECT_EQ(std::vector<NgramValue>(rows.row(7).begin(), rows.row(7).end()), made_row(7));
  EXPECT_THAT(log.text(), HasSubstr("no room for the rows' n-grams beyond 0 MB"));
}

}  // namespace
}  // namespace diffuse
