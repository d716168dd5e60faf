// Sums of the gradients of a table's rows.

#include "diffuse/ops/row_sums.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace diffuse {
namespace {

constexpr std::int64_t kDim = 3;

std::vector<float> counting(std::size_t rows) {
  std::vector<float> values;
  for (std::size_t i = 0; i < rows * kDim; ++i) values.push_back(static_cast<float>(i + 1));
  return values;
}

std::vector<std::vector<float>> sums_of(const RowSums& sums) {
  std::vector<std::vector<float>> found;
  for (const std::int32_t position : sums.positions())
    found.emplace_back(sums.rows() + position * kDim, sums.rows() + (position + 1) * kDim);
  return found;
}

TEST(RowSums, AddUpWhatARowHasSeveralTimes) {
  WorkerPool pool(2);
  RowSums sums(kDim);
  for (int again = 0; again < 2; ++again) {
    sums.clear();
    sums.append(std::vector<std::int32_t>{9, 4});
    sums.append(std::vector<std::int32_t>{4, -1, 9, 4});
    std::vector<float> gradients = counting(6);
    const std::vector<float> before = gradients;
    const std::vector<std::vector<float>> expected = {{14, 16, 18}, {27, 30, 33}};
    const double squares = 14 * 14 + 16 * 16 + 18 * 18 + 27 * 27 + 30 * 30 + 33 * 33;

    EXPECT_EQ(sums.add_up_apart(pool, gradients.data(), 2.0F), 4 * squares);
    EXPECT_EQ(std::vector<std::int32_t>(sums.ids().begin(), sums.ids().end()),
              (std::vector<std::int32_t>{9, 4}));
    EXPECT_EQ(sums_of(sums), (std::vector<std::vector<float>>{{28, 32, 36}, {54, 60, 66}}));
    EXPECT_EQ(gradients, before);

    EXPECT_EQ(sums.add_up(pool, gradients.data()), squares);
    EXPECT_EQ(sums_of(sums), expected);
    EXPECT_EQ(sums.rows(), gradients.data());
  }
}

TEST(RowSums, NothingNotedIsNothing) {
  WorkerPool pool(2);
  RowSums sums(kDim);
  sums.append(std::vector<std::int32_t>{-1, -1});
  std::vector<float> gradients = counting(2);
  EXPECT_EQ(sums.add_up_apart(pool, gradients.data(), 2.0F), 0);
  EXPECT_TRUE(sums.ids().empty());
  EXPECT_TRUE(sums.positions().empty());
}

}  // namespace
}  // namespace diffuse
