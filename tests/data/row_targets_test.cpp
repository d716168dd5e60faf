#include "diffuse/data/row_targets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "data/support.hpp"
#include "diffuse/data/packed_rows.hpp"

namespace diffuse {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::message_of;

const std::vector<ClassShare> kShares = {{2, 0.75F}, {0, 0.25F}};

RowTarget with_weight(std::int32_t label, float weight) {
  RowTarget target(label);
  target.weight = weight;
  return target;
}

RowTarget with_shares(std::int32_t label, bool soft_only) {
  RowTarget target(label);
  target.shares = kShares;
  target.soft_only = soft_only;
  return target;
}

TEST(RowTargets, OfPlainLabelsTakeNoMemory) {
  RowTargets targets;
  for (int i = 0; i < 1000; ++i) targets.append(i % 3);
  EXPECT_FALSE(targets.weighted());
  EXPECT_FALSE(targets.soft());
  EXPECT_EQ(targets.memory_bytes(), 0U);
  EXPECT_EQ(targets.weight(999), 1);
  EXPECT_THAT(targets.shares(999), IsEmpty());
}

TEST(RowTargets, KeepWhatSomeRowsHave) {
  RowTargets targets;
  targets.append(1);
  targets.append(with_weight(1, 2.5F));
  targets.append(with_shares(2, true));
  targets.append(with_shares(0, false));
  targets.append(1);
  EXPECT_EQ(targets.size(), 5U);
  EXPECT_EQ(targets.weight(0), 1);
  EXPECT_EQ(targets.weight(1), 2.5F);
  EXPECT_EQ(targets.weight(4), 1);
  EXPECT_THAT(targets.shares(1), IsEmpty());
  EXPECT_THAT(targets.shares(4), IsEmpty());
  ASSERT_EQ(targets.shares(2).size(), 2U);
  EXPECT_EQ(targets.shares(2)[0].label, 2);
  EXPECT_EQ(targets.shares(3)[1].share, 0.25F);
  EXPECT_TRUE(targets.at(2, 2).soft_only);
  EXPECT_FALSE(targets.at(3, 0).soft_only);
  EXPECT_FALSE(targets.at(4, 0).soft_only);
}

TEST(RowTargets, DistributionsMixBothLabels) {
  RowTargets targets;
  targets.append(1);
  targets.append(with_shares(1, false));
  targets.append(with_shares(2, true));
  const TargetRule rule{.classes = 4, .label_smoothing = 0.2, .soft_label_weight = 0.5};
  std::vector<float> row(4, 7);
  const auto of = [&](std::size_t i, std::int32_t label) {
    targets.write_distribution(i, label, rule, row);
    return row;
  };
  EXPECT_THAT(of(0, 1), ElementsAre(FloatEq(0.05F), FloatEq(0.85F), FloatEq(0.05F), FloatEq(0.05F)))
      << "no soft label: the smoothed one";
  EXPECT_THAT(of(1, 1),
              ElementsAre(FloatEq(0.15F), FloatEq(0.425F), FloatEq(0.4F), FloatEq(0.025F)));
  EXPECT_THAT(of(2, 2), ElementsAre(0.25F, 0.F, 0.75F, 0.F)) << "no label: the soft one";
}

TEST(RowTargets, ScaleAndMap) {
  RowTargets targets;
  targets.append(with_shares(2, false));
  targets.append(0);
  targets.scale_weight(0, 1);
  EXPECT_FALSE(targets.weighted());
  targets.scale_weight(1, 3);
  targets.scale_weight(1, 0.5F);
  EXPECT_EQ(targets.weight(0), 1);
  EXPECT_EQ(targets.weight(1), 1.5F);
  targets.map_labels(std::vector<std::int32_t>{5, 6, 7});
  EXPECT_EQ(targets.shares(0)[0].label, 7);
  EXPECT_EQ(targets.shares(0)[1].label, 5);
  EXPECT_THAT(message_of<DataError>([&] { targets.map_labels(std::vector<std::int32_t>{1}); }),
              HasSubstr("label number 7 has no place among 1 labels"));
}

class PackedTargets : public ::testing::Test {
 protected:
  PackedTargets() {
    data_.append(std::vector<std::int32_t>{1, 2, 3}, with_weight(0, 4), 1);
    data_.append(std::vector<std::int32_t>{4}, with_shares(2, true), 2);
    data_.append(std::vector<std::int32_t>{5, 6}, 1, 3);
  }
  EncodedDataset data_;
  std::vector<std::uint32_t> rows_ = {2, 1, 0};
};

TEST_F(PackedTargets, StandBehindTheTokens) {
  PackedRows packed;
  pack_rows(data_, rows_, packed, {.classes = 3, .label_smoothing = 0, .soft_label_weight = 1});
  EXPECT_THAT(packed.labels(), ElementsAre(1, 2, 0));
  EXPECT_THAT(packed.tokens(), ElementsAre(5, 6, 4, 1, 2, 3));
  EXPECT_THAT(packed.weights(), ElementsAre(1, 1, 4));
  EXPECT_THAT(packed.distributions(), ElementsAre(0, 1, 0, 0.25F, 0, 0.75F, 1, 0, 0));
  EXPECT_EQ(packed.bytes().size(), 3 * 8 + 4 * 4 + 6 * 4 + 3 * 4 + 9 * 4U);
  pack_rows(data_, rows_, packed);
  EXPECT_THAT(packed.weights(), IsEmpty()) << "not asked for";
  EXPECT_THAT(packed.distributions(), IsEmpty());
}

TEST_F(PackedTargets, ClassWeightsMultiplyTheRows) {
  data_.weigh_classes(std::vector<double>{0.5, 1, 3});
  EXPECT_EQ(data_.targets().weight(0), 2);
  EXPECT_EQ(data_.targets().weight(1), 3);
  EXPECT_EQ(data_.targets().weight(2), 1);
}

}  // namespace
}  // namespace diffuse
