#include "report/crc32c.hpp"

#include <gtest/gtest.h>

#include <string>

namespace diffuse {
namespace {

// The vectors of RFC 3720, appendix B.4, and the usual check value.
TEST(Crc32c, KnownVectors) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
  std::string rising;
  for (char c = 0; c < 32; ++c) rising += c;
  EXPECT_EQ(crc32c(rising), 0x46DD794EU);
  EXPECT_EQ(crc32c(""), 0U);
}

TEST(Crc32c, MaskRotatesAndAdds) {
  // (0xE3069283 >> 15 | 0xE3069283 << 17) + 0xA282EAD8, by hand.
  EXPECT_EQ(masked_crc32c("123456789"), 0xC78AB0E5U);
  EXPECT_EQ(masked_crc32c(""), 0xA282EAD8U);
}

}  // namespace
}  // namespace diffuse
