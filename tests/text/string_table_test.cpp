#include "string_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "diffuse/base/random.hpp"

namespace diffuse {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

/// Strings of few different bytes, so that many are equal, or begin or end alike.
std::vector<std::string> alike_strings(std::size_t count) {
  Random random(7);
  std::vector<std::string> strings;
  const std::string bytes("a\0b\xC3", 4);
  for (std::size_t i = 0; i < count; ++i) {
    std::string text(random.below(i % 10 == 0 ? 30 : 10), 'a');
    for (char& c : text) {
      if (random.below(3) == 0) c = bytes[random.below(bytes.size())];
    }
    strings.push_back(text);
  }
  return strings;
}

TEST(StringTable, GivesEachStringItsNumber) {
  StringTable table;
  EXPECT_EQ(table.find(""), StringTable::kMissing);
  EXPECT_THAT(table.insert("eight by"), Pair(0, true));
  EXPECT_THAT(table.insert("eight bytes"), Pair(1, true));
  EXPECT_THAT(table.insert("eight by"), Pair(0, false));
  EXPECT_THAT(table.insert(""), Pair(2, true));
  EXPECT_EQ(table.find(std::string(1, '\0')), StringTable::kMissing);
  EXPECT_EQ(table.find("eight bytez"), StringTable::kMissing);
  EXPECT_THAT(table.strings(), ElementsAre("eight by", "eight bytes", ""));
  EXPECT_EQ(table.lines(),
            R"(eight by
eight bytes

)");
  EXPECT_EQ(table.max_length(), 11U);
}

TEST(StringTable, AgreesWithAMap) {
  const std::vector<std::string> strings = alike_strings(20000);
  for (const bool reserved : {false, true}) {
    StringTable table;
    if (reserved) table.reserve(strings.size(), 100);
    std::map<std::string, std::int32_t> expected;
    for (const std::string& text : strings) {
      const auto [at, added] = expected.emplace(text, static_cast<std::int32_t>(expected.size()));
      ASSERT_EQ(table.insert(text), std::pair(at->second, added));
    }
    ASSERT_EQ(table.size(), static_cast<std::int32_t>(expected.size()));
    for (const auto& [text, index] : expected) {
      ASSERT_EQ(table.find(text), index);
      ASSERT_EQ(table.token(index), text);
      const std::string other = text + "x";
      ASSERT_EQ(table.find(other) == StringTable::kMissing, !expected.contains(other));
    }
  }
}

TEST(StringTable, KeysOfPrefixesGrowByteByByte) {
  const std::vector<std::string> strings = alike_strings(2000);
  StringTable table;
  for (const std::string& text : strings) table.insert(text);
  for (const std::string& text : strings) {
    StringTable::Key key("");
    for (std::size_t length = 0; length <= text.size(); ++length) {
      const std::string prefix = text.substr(0, length);
      ASSERT_EQ(table.find(prefix, key), table.find(prefix));
      if (length < text.size()) key.append(text[length]);
    }
  }
}

}  // namespace
}  // namespace diffuse
