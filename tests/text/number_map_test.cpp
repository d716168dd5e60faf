#include "diffuse/text/number_map.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace diffuse {
namespace {

TEST(NumberMap, GivesWhatEachNumberBecomes) {
  for (const int size : {0, 1, 63, 64, 65, 1000}) {
    for (const int step : {1, 2, 7, 64, 2000}) {
      std::vector<std::int32_t> expected(static_cast<std::size_t>(size), NumberMap::kNone);
      for (int from = step / 2; from < size; from += step)
        expected[static_cast<std::size_t>(from)] = 5000 - from;
      const NumberMap map(expected.size(), [&](const auto& take) {
        for (int from = size; from-- > 0;)  // in any order
          if (const std::int32_t to = expected[static_cast<std::size_t>(from)]; to >= 0)
            take(from, to);
      });
      for (int from = 0; from < size; ++from)
        ASSERT_EQ(map[from], expected[static_cast<std::size_t>(from)]) << size << " " << step;
    }
  }
}

TEST(NumberMap, SeveralMayBecomeTheSame) {
  const NumberMap map(3, [](const auto& take) {
    take(2, 0);
    take(0, 0);
  });
  EXPECT_EQ(map[0], 0);
  EXPECT_EQ(map[1], NumberMap::kNone);
  EXPECT_EQ(map[2], 0);
}

}  // namespace
}  // namespace diffuse
