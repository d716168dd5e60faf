#include "diffuse/base/table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diffuse/base/error.hpp"

namespace diffuse {
namespace {

using Align = Table::Align;

TEST(Table, AlignsColumns) {
  Table table({"class", "rows"}, {Align::left, Align::right});
  table.add_row({"earn", "1,083"});
  table.add_row({"acquisition", "7"});
  EXPECT_EQ(table.text(),
            "class         rows\n"
            "earn         1,083\n"
            "acquisition      7\n");
}

TEST(Table, CountsCodePointsAndLeavesNoBlanksAtTheEnd) {
  Table table({"a", "b", "c"}, {Align::right, Align::left, Align::left});
  table.add_row({"naïve", "é", ""});
  table.add_row({"x", "yy", "z"});
  EXPECT_EQ(table.text(),
            "    a  b   c\n"
            "naïve  é\n"
            "    x  yy  z\n");
}

TEST(Table, CountsColumnsOfTheTerminal) {
  Table table({"label", "rows"}, {Align::left, Align::right});
  table.add_row({"日本", "1"});
  table.add_row({"👍", "2"});
  table.add_row({"e\u0301t", "3"});  // e and a combining accent
  EXPECT_EQ(table.text(),
            "label  rows\n"
            "日本      1\n"
            "👍        2\n"
            "e\u0301t        3\n");
}

TEST(Table, LeavesAnEmptyHeaderOut) {
  Table table({"", ""}, {Align::left, Align::left});
  table.add_row({"classes", "8"});
  EXPECT_EQ(table.text(), "classes  8\n");
}

TEST(Table, RefusesRowsOfAnotherLength) {
  Table table({"a", "b"}, {Align::left, Align::left});
  EXPECT_THAT([&] { table.add_row({"x"}); },
              ::testing::ThrowsMessage<Error>("A row of 1 cells in a table of 2 columns."));
  EXPECT_THROW(Table({"a"}, {Align::left, Align::left}), Error);
}

}  // namespace
}  // namespace diffuse
