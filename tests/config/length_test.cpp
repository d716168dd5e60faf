#include <limits>

#include "config/support.hpp"

namespace diffuse::testing {
namespace {

TEST(Length, EpochsAndUpdates) {
  EXPECT_EQ(length_in_updates(parse_length("3e"), 100), 300);
  EXPECT_EQ(length_in_updates(parse_length("0.5e"), 101), 51);
  EXPECT_EQ(length_in_updates(parse_length("0e"), 100), 0);
  EXPECT_EQ(length_in_updates(parse_length("5000u"), 7), 5000);
  EXPECT_EQ(length_in_updates(parse_length("5000u"), 0), 5000);
  EXPECT_EQ(parse_length("2u").unit, Length::Unit::updates);
  EXPECT_EQ(parse_length("2.25e").value, 2.25);
}

TEST(Length, MinutesAreNoNumberOfUpdates) {
  EXPECT_EQ(parse_length("1.5m").unit, Length::Unit::minutes);
  EXPECT_EQ(parse_length("1.5m").value, 1.5);
  EXPECT_THROW(length_in_updates(parse_length("1m"), 10), Error);
}

TEST(Length, AProductTooLargeStaysPositive) {
  EXPECT_GT(
      length_in_updates(parse_length("1000000000000e"), std::numeric_limits<std::int64_t>::max()),
      0);
}

TEST(Length, OtherTextIsRefused) {
  for (const std::string text : {"", "e", "u", "3", "3 e", "3x", "-1e", "-0e", "1.5u", "nane",
                                 "infe", "1e3u", "2e12e", "2000000000000u", "3ee", "+3e", "0x1e"}) {
    EXPECT_EQ(config_error([&] { parse_length(text); }),
              "\"" + text +
                  "\" is not a length; expected epochs (\"3e\"), updates (\"5000u\") or minutes "
                  "(\"30m\"), at most 1e12");
  }
}

}  // namespace
}  // namespace diffuse::testing
