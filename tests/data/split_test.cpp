#include "data/split.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "data/support.hpp"
#include "data/training_parts.hpp"

namespace diffuse {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

/// counts[l] rows of label l, mixed, each of another text.
EncodedDataset with_classes(std::vector<int> counts) {
  EncodedDataset data;
  for (bool added = true; added;) {
    added = false;
    for (std::size_t label = 0; label < counts.size(); ++label) {
      if (counts[label]-- <= 0) continue;
      data.append(std::vector<std::int32_t>{static_cast<std::int32_t>(data.size())},
                  static_cast<std::int32_t>(label), 1);
      added = true;
    }
  }
  return data;
}

RowSplit split_stratified(const EncodedDataset& data, double fraction, std::int64_t seed) {
  return split_off_validation(data, fraction, seed, /*told=*/true);
}

std::map<int, int> classes_of(const DatasetView& view) {
  std::map<int, int> counts;
  for (const auto row : view.rows) ++counts[view.data->label(row)];
  return counts;
}

TEST(SplitStratified, GivesEveryClassItsShare) {
  const EncodedDataset data = with_classes({1000, 200, 40});
  const RowSplit split = split_stratified(data, 0.05, 1);
  EXPECT_EQ(classes_of(split.validation), (std::map<int, int>{{0, 50}, {1, 10}, {2, 2}}));
  EXPECT_EQ(classes_of(split.train), (std::map<int, int>{{0, 950}, {1, 190}, {2, 38}}));
}

TEST(SplitStratified, IsAPartitionInFileOrder) {
  const EncodedDataset data = with_classes({60, 31, 9});
  const RowSplit split = split_stratified(data, 0.3, 5);
  EXPECT_TRUE(std::is_sorted(split.train.rows.begin(), split.train.rows.end()));
  EXPECT_TRUE(std::is_sorted(split.validation.rows.begin(), split.validation.rows.end()));
  std::vector<std::uint32_t> all;
  std::merge(split.train.rows.begin(), split.train.rows.end(), split.validation.rows.begin(),
             split.validation.rows.end(), std::back_inserter(all));
  EXPECT_EQ(all, view_all(data).rows);
}

TEST(SplitStratified, RoundingsGoToTheLargestRemainders) {
  // Shares 2.5, 2.4, 0.1: 5 rows in all, the fifth to the first class.
  const EncodedDataset data = with_classes({25, 24, 1});
  EXPECT_EQ(classes_of(split_stratified(data, 0.1, 1).validation),
            (std::map<int, int>{{0, 3}, {1, 2}}));
}

TEST(SplitStratified, LeavesEveryClassARowInTrain) {
  const EncodedDataset data = with_classes({1, 2, 3, 100});
  const auto train = classes_of(split_stratified(data, 0.99, 1).train);
  EXPECT_EQ(train.size(), 4u);
  EXPECT_EQ(train.at(0), 1);
  EXPECT_EQ(train.at(1), 1);
}

TEST(SplitStratified, FractionZeroTakesNothing) {
  const EncodedDataset data = with_classes({10, 10});
  const RowSplit split = split_stratified(data, 0.0, 1);
  EXPECT_THAT(split.validation.rows, IsEmpty());
  EXPECT_EQ(split.train.size(), 20u);
}

TEST(SplitStratified, IsTheSameOnEveryMachine) {
  const EncodedDataset data = with_classes({20, 20});
  EXPECT_THAT(split_stratified(data, 0.2, 1).validation.rows,
              ElementsAre(0, 1, 9, 12, 16, 19, 23, 26));
}

TEST(SplitStratified, DependsOnTheSeed) {
  const EncodedDataset data = with_classes({500, 500});
  EXPECT_EQ(split_stratified(data, 0.1, 1).validation.rows,
            split_stratified(data, 0.1, 1).validation.rows);
  EXPECT_NE(split_stratified(data, 0.1, 1).validation.rows,
            split_stratified(data, 0.1, 2).validation.rows);
}

TEST(SplitStratified, AClassOfTwoRowsHasOneInEachPart) {
  const EncodedDataset data = with_classes({400, 8, 2, 1});
  const RowSplit split = split_stratified(data, 0.05, 3);
  EXPECT_EQ(classes_of(split.validation), (std::map<int, int>{{0, 20}, {1, 1}, {2, 1}}));
  EXPECT_EQ(classes_of(split.train), (std::map<int, int>{{0, 380}, {1, 7}, {2, 1}, {3, 1}}));
}

/// 200 rows of two labels: text t stands at every row i with i % texts == t.
EncodedDataset with_texts(int texts) {
  EncodedDataset data;
  for (int i = 0; i < 200; ++i) {
    const int text = i % texts;
    data.append(std::vector<std::int32_t>{text}, text % 2, 1);
  }
  return data;
}

TEST(SplitStratified, EqualTextsStandOnOneSide) {
  for (const int texts : {4, 40, 67}) {
    const EncodedDataset data = with_texts(texts);
    for (const std::int64_t seed : {1, 2, 3}) {
      const RowSplit split = split_stratified(data, 0.1, seed);
      std::map<std::int32_t, int> sides;  // bit 1: train, bit 2: validation
      for (const auto row : split.train.rows) sides[testing::tokens_of(data, row)[0]] |= 1;
      for (const auto row : split.validation.rows) sides[testing::tokens_of(data, row)[0]] |= 2;
      for (const auto& [text, side] : sides) EXPECT_NE(side, 3) << "text " << text;
      EXPECT_EQ(split.train.size() + split.validation.size(), 200u);
      EXPECT_EQ(classes_of(split.validation).size(), 2u);
    }
  }
  // 40 texts of five rows: two of each label make the tenth of the rows, still stratified.
  EXPECT_EQ(classes_of(split_stratified(with_texts(40), 0.1, 1).validation),
            (std::map<int, int>{{0, 10}, {1, 10}}));
}

// To look at all rows of a text for each of them would take hours here.
TEST(SplitStratified, ATextOfHundredsOfThousandsOfRowsIsSplitLikeOthers) {
  constexpr std::int32_t kOthers = 1000;
  std::vector<std::int32_t> labels;
  std::vector<std::uint64_t> texts;
  for (std::int32_t i = 0; i < 300'000; ++i) {
    labels.push_back(i % 2);
    texts.push_back(1);
  }
  labels.insert(labels.end(), 100'000, 2);
  texts.insert(texts.end(), 100'000, 2);
  for (std::int32_t i = 0; i < kOthers; ++i) {
    labels.push_back(i % 2);
    texts.push_back(static_cast<std::uint64_t>(i + 3));
  }
  const std::vector<bool> taken = choose_stratified(labels, texts, 0.1, 5);
  EXPECT_EQ(std::count(taken.begin(), taken.end() - kOthers, true), 0);
  EXPECT_EQ(std::count(taken.end() - kOthers, taken.end(), true), kOthers);
}

TEST(SplitStratified, AClassOfOneTextStaysInTrain) {
  EncodedDataset data = with_classes({50});
  for (int i = 0; i < 10; ++i) data.append(std::vector<std::int32_t>{1000}, 1, 1);
  const RowSplit split = split_stratified(data, 0.2, 1);
  EXPECT_EQ(classes_of(split.train).at(1), 10);
  EXPECT_THAT(split.validation.rows, Not(IsEmpty()));
}

TEST(SplitStratified, ATextOfSeveralLabelsStandsOnOneSide) {
  EncodedDataset data;
  for (int i = 0; i < 100; ++i) data.append(std::vector<std::int32_t>{i / 2}, i % 2, 1);
  const RowSplit split = split_stratified(data, 0.2, 1);
  EXPECT_EQ(classes_of(split.validation), (std::map<int, int>{{0, 10}, {1, 10}}));
  for (std::size_t i = 0; i < split.validation.rows.size(); i += 2)
    EXPECT_EQ(split.validation.rows[i] / 2, split.validation.rows[i + 1] / 2);
}

}  // namespace
}  // namespace diffuse
