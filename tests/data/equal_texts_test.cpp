#include "data/equal_texts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace diffuse {
namespace {

using ::testing::ElementsAre;
using Ids = std::vector<std::int32_t>;

EncodedDataset sample() {
  EncodedDataset data;
  data.append(Ids{1, 2}, 0, 1);
  data.append(Ids{2, 1}, 0, 2);
  data.append(Ids{1, 2}, 1, 3);
  data.append(Ids{1, 9}, 0, 4, 77);  // a word that is not in the vocabulary
  data.append(Ids{1, 9}, 1, 5, 78);  // another one
  data.append(Ids{1, 9}, 1, 6, 77);
  data.append(Ids{2, 1}, 0, 7);
  return data;
}

TEST(TextKeys, AreEqualForWhatTheModelReadsAlike) {
  const auto keys = text_keys(sample());
  EXPECT_EQ(keys[0], keys[2]);
  EXPECT_NE(keys[0], keys[1]);
  EXPECT_EQ(keys[3], keys[5]);
  EXPECT_NE(keys[3], keys[4]);
}

TEST(KnownTexts, AreCountedByTheDifferentTextsOfTheOthers) {
  const EncodedDataset data = sample();
  const std::vector<std::uint64_t> texts = different_texts(data);
  EXPECT_EQ(texts.size(), 4u);
  EXPECT_EQ(count_known_texts(data, texts), 7);
  EncodedDataset other;
  other.append(Ids{2, 1}, 5, 1);
  other.append(Ids{1, 9}, 0, 2, 78);
  other.append(Ids{1, 9}, 0, 3, 79);
  EXPECT_EQ(count_known_texts(other, texts), 2);
  EXPECT_EQ(count_known_texts(other, {}), 0);
}

TEST(RowsByText, PutsEqualTextsSideBySideInFileOrder) {
  EXPECT_THAT(rows_by_text(std::vector<std::uint64_t>{5, 3, 5, 3, 4}), ElementsAre(1, 3, 4, 0, 2));
}

TEST(AmbiguousTexts, AreThoseOfSeveralLabels) {
  const AmbiguousTexts found = ambiguous_texts(sample());
  EXPECT_EQ(found.texts, 2);  // "1 2" and "1 9" of mark 77; "2 1" has one label
  EXPECT_EQ(found.rows, 4);
}

TEST(SharedTexts, CountsRowsWhoseTextIsAmongTheOthers) {
  const EncodedDataset data = sample();
  EncodedDataset other;
  other.append(Ids{2, 1}, 5, 1);  // the label does not matter
  other.append(Ids{1, 9}, 0, 2, 78);
  EXPECT_EQ(count_shared_texts(view_all(data), view_all(other)).rows, 3);
  EXPECT_EQ(count_shared_texts(view_all(other), view_all(data)).rows, 2);
  EXPECT_EQ(count_shared_texts(view_all(other), DatasetView{&data, {0, 3}}).rows, 0);
  EXPECT_EQ(count_shared_texts({}, view_all(data)).rows, 0);
}

TEST(SharedTexts, CountsRowsWhoseLabelTheTextHasNotThere) {
  const EncodedDataset data = sample();
  EncodedDataset other;
  other.append(Ids{2, 1}, 1, 1);      // 0 there, twice
  other.append(Ids{1, 2}, 0, 2);      // 0 and 1 there
  other.append(Ids{1, 9}, 0, 3, 78);  // 1 there
  const SharedTexts shared = count_shared_texts(view_all(other), view_all(data));
  EXPECT_EQ(shared.rows, 3);
  EXPECT_EQ(shared.relabelled, 2);
}

}  // namespace
}  // namespace diffuse
