#include "diffuse/data/packed_rows.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "diffuse/base/error.hpp"

namespace diffuse {
namespace {

using ::testing::ElementsAre;

TEST(PackRows, PutsSequencesOneBehindTheOther) {
  EncodedDataset data;
  data.append(std::vector<std::int32_t>{1, 2, 3}, 0, 1);
  data.append(std::vector<std::int32_t>{4}, 1, 2);
  data.append(std::vector<std::int32_t>{5, 6}, 2, 3);
  const PackedRows packed = pack_rows(data, std::vector<std::uint32_t>{2, 0, 2});
  EXPECT_THAT(packed.tokens(), ElementsAre(5, 6, 1, 2, 3, 5, 6));
  EXPECT_THAT(packed.offsets(), ElementsAre(0, 2, 5, 7));
  EXPECT_THAT(packed.labels(), ElementsAre(2, 0, 2));
  EXPECT_THAT(pack_rows(data, {}).offsets(), ElementsAre(0));
}

TEST(PackRows, TakesTheSameMemoryAgain) {
  EncodedDataset data;
  data.append(std::vector<std::int32_t>{1, 2, 3}, 0, 1);
  data.append(std::vector<std::int32_t>{4}, 1, 2);
  PackedRows packed = pack_rows(data, std::vector<std::uint32_t>{0, 1});
  const std::byte* memory = packed.bytes().data();
  pack_rows(data, std::vector<std::uint32_t>{1}, packed);
  EXPECT_THAT(packed.tokens(), ElementsAre(4));
  EXPECT_THAT(packed.offsets(), ElementsAre(0, 1));
  EXPECT_THAT(packed.labels(), ElementsAre(1));
  EXPECT_EQ(packed.bytes().size(), sizeof(std::int64_t) + 3 * sizeof(std::int32_t));
  EXPECT_EQ(packed.bytes().data(), memory);
}

TEST(PackedRows, RefusesOffsetsOfAnotherNumberOfTexts) {
  const std::vector<std::int32_t> numbers = {0, 1};
  EXPECT_THROW(PackedRows(numbers, numbers, {}), Error);
}

}  // namespace
}  // namespace diffuse
