#include "diffuse/base/build_info.hpp"

#include <gtest/gtest.h>

namespace diffuse {
namespace {

TEST(Version, IsNewerByItsNumbersAndNotByItsText) {
  const std::string ours = build_info().version;
  for (const std::string& newer : {ours + ".1", std::string("10.0.0"), std::string("9.8.7")})
    EXPECT_TRUE(is_newer_version(newer)) << newer;
  for (const std::string& other : {ours, std::string("0.0.99"), std::string(), std::string("new")})
    EXPECT_FALSE(is_newer_version(other)) << other;
}

}  // namespace
}  // namespace diffuse
