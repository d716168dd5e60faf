#include "diffuse/base/hash.hpp"

#include <gtest/gtest.h>

#include <string>

namespace diffuse {
namespace {

std::string hash_of(std::string_view text) {
  Hasher hasher;
  hasher.update(text);
  return hasher.hex();
}

// As `xxhsum -H2` prints them.
TEST(Hasher, GivesTheKnownValues) {
  EXPECT_EQ(hash_of(""), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(hash_of("a"), "a96faf705af16834e6c632b61e964e1f");
  EXPECT_EQ(hash_of("abc"), "06b05ab6733a618578af5f94892f3950");
}

TEST(Hasher, DoesNotDependOnThePieces) {
  const std::string text(5000, 'x');
  Hasher pieces;
  for (std::size_t at = 0; at < text.size(); at += 7) {
    pieces.update(std::as_bytes(std::span(text)).subspan(at, std::min<std::size_t>(7, 5000 - at)));
  }
  EXPECT_EQ(pieces.hex(), hash_of(text));
  EXPECT_EQ(pieces.hex(), hash_of(text)) << "asking changes nothing";
}

TEST(Hash64, IsXxh3) {
  // As `xxhsum -H3` prints it, which takes the same bytes on every machine.
  EXPECT_EQ(hash64(""), 0x2d06800538d394c2U);
  EXPECT_NE(hash64("a"), hash64("b"));
}

TEST(Hasher, SeesEveryByte) {
  std::string text(300, 'x');
  const std::string before = hash_of(text);
  text[299] = 'y';
  EXPECT_NE(hash_of(text), before);
  EXPECT_NE(hash_of(std::string("a\0", 2)), hash_of("a"));
}

}  // namespace
}  // namespace diffuse
