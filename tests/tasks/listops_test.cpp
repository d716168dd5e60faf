#include "diffuse/tasks/listops.hpp"

#include <fmt/core.h>
#include <gmock/gmock.h>

#include <fstream>
#include <sstream>
#include <string>

#include "diffuse/base/error.hpp"
#include "diffuse/tasks/listops_tree.hpp"
#include "support/message_of.hpp"

namespace diffuse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;

int value_of(std::string_view text) { return listops_value(parse_listops(text)); }

TEST(ListOps, OperationsAreThoseOfTheArena) {
  EXPECT_EQ(value_of("MIN 4 2 9 X"), 2);
  EXPECT_EQ(value_of("MAX 4 2 9 X"), 9);
  EXPECT_EQ(value_of("SM 4 2 9 X"), 5);
  EXPECT_EQ(value_of("MED 4 2 9 X"), 4);
  EXPECT_EQ(value_of("MED 9 2 X"), 5) << "the mean of two middle ones, cut off";
  EXPECT_EQ(value_of("MED 1 2 8 9 X"), 5);
  EXPECT_EQ(value_of("MED 0 0 X"), 0);
  EXPECT_EQ(value_of("7"), 7);
  EXPECT_EQ(value_of("MAX 2 MIN 8 5 X SM 6 7 X X"), 5);
}

/// Python's own sort, sum and median, on trees of its own: scripts/make_task_fixtures.py.
TEST(ListOps, AgreesWithAnotherProgram) {
  std::ifstream file(std::string(DIFFUSE_TEST_DATA) + "/listops_reference.tsv");
  std::string line;
  int rows = 0;
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    std::string value, words, arena;
    std::getline(fields, value, '\t');
    std::getline(fields, words, '\t');
    std::getline(fields, arena, '\t');
    const auto expression = parse_listops(words);
    EXPECT_EQ(listops_value(expression), std::stoi(value)) << words;
    EXPECT_EQ(listops_text(expression, ListOpsNotation::words), words);
    EXPECT_EQ(listops_text(expression, ListOpsNotation::arena), arena);
    EXPECT_EQ(parse_listops(arena), expression);
    ++rows;
  }
  EXPECT_EQ(rows, 79);
}

TEST(ListOps, NotationsAreReadInEitherCase) {
  const auto expression = parse_listops("MAX 2 MED 9 0 X 4 X");
  EXPECT_EQ(listops_text(expression, ListOpsNotation::brackets), "[MAX 2 [MED 9 0 ] 4 ]");
  EXPECT_EQ(listops_text(expression, ListOpsNotation::arena),
            "( ( ( ( [MAX 2 ) ( ( ( [MED 9 ) 0 ) ] ) ) 4 ) ] )");
  for (const char* text :
       {"[MAX 2 [MED 9 0 ] 4 ]", "max 2 med 9 0 x 4 x",
        "( ( ( ( [MAX 2 ) ( ( ( [MED 9 ) 0 ) ] ) ) 4 ) ] )", "  MAX\t2 MED 9 0 X 4 X\r\n"})
    EXPECT_EQ(parse_listops(text), expression) << text;
}

TEST(ListOps, WhatIsNoTokenIsNamedWithItsPlace) {
  const auto message = [](const char* text) {
    return message_of<DataError>([&] { parse_listops(text); });
  };
  EXPECT_THAT(message("MAX 2 10 X"), HasSubstr("word 3 is '10'; expected a digit, MIN, MAX, MED"));
  EXPECT_THAT(message("AVG 2 1 X"), HasSubstr("word 1 is 'AVG'"));
  EXPECT_THAT(message("( [ MAX"), HasSubstr("word 2 is '['"));
}

TEST(ListOps, WhatIsNoExpressionIsRefused) {
  const auto message = [](const char* text) {
    return message_of<DataError>([&] { value_of(text); });
  };
  EXPECT_THAT(message(""), HasSubstr("is empty"));
  EXPECT_THAT(message("MAX 2 9"),
              HasSubstr("token 1 of the expression: this operation is never closed"));
  EXPECT_THAT(message("MAX 2 X 9"),
              HasSubstr("token 4 of the expression: the expression has ended"));
  EXPECT_THAT(message("X"),
              HasSubstr("token 1 of the expression: it closes an operation, but none"));
  EXPECT_THAT(message("MIN 1 MAX X X"),
              HasSubstr("token 4 of the expression: it closes an operation without"));
  EXPECT_THROW(listops_result(ListOpsToken::minimum, {}), Error);
  const std::vector<int> one = {1};
  EXPECT_THROW(listops_result(ListOpsToken::close, one), Error);
}

TEST(ListOps, ATreeHasItsOperationsInOrder) {
  const auto nodes = listops_tree(parse_listops("SM 1 MAX 2 3 X MIN 4 MED 5 6 X X X"));
  std::vector<std::string> told;
  for (const ListOpsNode& node : nodes)
    told.push_back(fmt::format("{} {}-{} depth {} of {} = {}", code_of(node.operation), node.first,
                               node.last, node.depth, node.arguments, node.value));
  EXPECT_THAT(told, ElementsAre("13 0-13 depth 1 of 3 = 8", "11 2-5 depth 2 of 2 = 3",
                                "10 6-12 depth 2 of 2 = 4", "12 8-11 depth 3 of 2 = 5"));
  EXPECT_TRUE(listops_tree(parse_listops("3")).empty());
}

TEST(ListOps, LowerLevelsCountAsTheirLikeliestValue) {
  const auto expression = parse_listops("SM 1 MAX 2 3 X MIN 4 MED 5 6 X X SM 1 1 X X");
  EXPECT_EQ(listops_value(expression), 0);              // 1 + 3 + 4 + 2
  EXPECT_EQ(listops_upper_value(expression, 1, 7), 7);  // 1 + 9 + 0 + 7
  EXPECT_EQ(listops_upper_value(expression, 2, 7), 0);  // 1 + 3 + min(4, 4) + 2
  EXPECT_EQ(listops_upper_value(expression, 9, 7), 0);
  EXPECT_EQ(listops_upper_value(expression, 0, 7), 7);
}

TEST(ListOps, ALongChainNeedsNoStack) {
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += "MAX 1 ";
  text += "5";
  for (int i = 0; i < 200'000; ++i) text += " X";
  EXPECT_EQ(value_of(text), 5);
}

TEST(ListOps, TheLongestExpressionIsKnown) {
  EXPECT_EQ(longest_listops({.max_depth = 1, .max_arguments = 10}), 1);
  EXPECT_EQ(longest_listops({.max_depth = 3, .max_arguments = 4}), 2 + 4 * 6);
  EXPECT_GT(longest_listops({.max_depth = 100, .max_arguments = 1000}), 1'000'000'000);
}

TEST(ListOps, WhatCannotBeDrawnIsGivenUp) {
  Random random(1);
  EXPECT_TRUE(draw_listops({.max_depth = 1, .min_tokens = 2, .max_tokens = 9}, random).empty());
}

}  // namespace
}  // namespace diffuse
