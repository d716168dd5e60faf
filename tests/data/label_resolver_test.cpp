#include "data/label_resolver.hpp"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "data/support.hpp"

namespace diffuse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::optional<std::int32_t> resolve(LabelResolver& resolver, const std::string& label) {
  BadRow bad;
  return resolver.resolve(label, 3, bad);
}

std::vector<std::string> collect(const std::vector<std::string>& labels,
                                 std::vector<std::int32_t>& to) {
  LabelResolver resolver;
  for (const std::string& label : labels) EXPECT_TRUE(resolve(resolver, label).has_value());
  return resolver.finish(to).names();
}

TEST(LabelResolver, CollectsNamesInByteOrder) {
  std::vector<std::int32_t> to;
  EXPECT_THAT(collect({"pos", "neg", "pos", "Neutral"}, to), ElementsAre("Neutral", "neg", "pos"));
  EXPECT_THAT(to, ElementsAre(2, 1, 0));
}

TEST(LabelResolver, SortsWholeNumbersByValueAndMixturesByBytes) {
  std::vector<std::int32_t> to;
  EXPECT_THAT(collect({"10", "9", "-1"}, to), ElementsAre("-1", "9", "10"));
  EXPECT_THAT(to, ElementsAre(2, 1, 0));
  EXPECT_THAT(collect({"10", "9", "a"}, to), ElementsAre("10", "9", "a"));
  EXPECT_THAT(collect({"9", "99999999999999999999"}, to), ElementsAre("9", "99999999999999999999"));
}

TEST(LabelResolver, KnownNamesComeBeforeNumbers) {
  LabelResolver resolver(Labels({"World", "Sports", "1"}), true, 1);
  EXPECT_EQ(resolve(resolver, "Sports"), 1);
  EXPECT_EQ(resolve(resolver, "1"), 2);
  EXPECT_EQ(resolve(resolver, "2"), 1);
  EXPECT_EQ(resolve(resolver, "3"), 2);
  std::vector<std::int32_t> to = {5};
  EXPECT_THAT(resolver.finish(to).names(), ElementsAre("World", "Sports", "1"));
  EXPECT_THAT(to, IsEmpty());
}

TEST(LabelResolver, RefusesNumbersOutOfRange) {
  LabelResolver resolver(Labels({"a", "b"}), true, 1);
  for (const char* label : {"0", "3", "-9223372036854775808", "9223372036854775807",
                            "99999999999999999999", "1.0", "+1", "1x"}) {
    EXPECT_EQ(resolve(resolver, label), std::nullopt) << label;
  }
}

TEST(LabelResolver, NumbersCountOnlyWithALabelFile) {
  LabelResolver resolver(Labels({"a", "b"}), false, 0);
  EXPECT_EQ(resolve(resolver, "1"), std::nullopt);
}

TEST(LabelResolver, SaysWhatIsExpected) {
  LabelResolver resolver(Labels({"World", "Sports"}), true, 1);
  BadRow bad;
  EXPECT_FALSE(resolver.resolve("Sport", 7, bad));
  EXPECT_EQ(bad.line, 7u);
  EXPECT_EQ(bad.problem, "unknown label \"Sport\", did you mean \"Sports\"?");
  EXPECT_EQ(bad.expected, "one of World, Sports, or a number from 1 to 2 (data.label_base = 1)");
  LabelResolver numbers(Labels({"0.0", "1.0"}), false, 0);
  EXPECT_FALSE(numbers.resolve("1", 7, bad));
  EXPECT_EQ(bad.problem, "unknown label \"1\", did you mean \"1.0\"?");
  std::vector<std::string> many;
  for (int i = 100; i < 120; ++i) many.push_back(fmt::format("c{}", i));
  LabelResolver long_list(Labels(many), false, 0);
  EXPECT_FALSE(long_list.resolve("?", 7, bad));
  EXPECT_EQ(bad.problem, "unknown label \"?\"");
  EXPECT_THAT(bad.expected, HasSubstr("c111, … (20 in all)"));
}

TEST(LabelResolver, TakesEveryFormOfAKnownName) {
  LabelResolver resolver(Labels({"n\u00E9gatif", "positif"}), false, 0);
  EXPECT_EQ(resolve(resolver, "ne\u0301gatif"), 0);
}

TEST(LabelResolver, NeverAsksWhetherANameMeantTheOneThatLooksLikeIt) {
  LabelResolver resolver(Labels({"\u0645\u06CC\u200C\u062E\u0648\u0627", "b"}), false, 0);
  BadRow bad;
  EXPECT_FALSE(resolver.resolve("\u0645\u06CC\u062E\u0648\u0627", 7, bad));
  EXPECT_THAT(bad.problem, HasSubstr("which differs from"));
  EXPECT_THAT(bad.problem, HasSubstr("by a joiner that is not seen"));
}

TEST(LabelResolver, TellsWhenEveryRowIsAClass) {
  LabelResolver resolver;
  for (std::size_t i = 0; i < LabelResolver::kMaxCollected; ++i)
    resolve(resolver, std::to_string(i));
  EXPECT_FALSE(resolver.too_many());
  resolve(resolver, "one more");
  EXPECT_TRUE(resolver.too_many());
}

}  // namespace
}  // namespace diffuse
