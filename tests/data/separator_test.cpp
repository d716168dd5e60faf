#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "data/reading.hpp"

namespace diffuse {
namespace {

using testing::csv;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::kNamed;
using testing::kNumbered;
using testing::message_of;
using testing::read;
using testing::read_other;

TEST(Separators, AreFoundOrSet) {
  EXPECT_THAT(csv("label;text\nx;a, b\ny;c\n"), ElementsAre("2 x: a, b", "3 y: c"));
  EXPECT_THAT(csv("label|text\nx|a\ny|c\n"), ElementsAre("2 x: a", "3 y: c"));
  EXPECT_THAT(csv("label\ttext\nx\ta\n"), ElementsAre("2 x: a"));
  EXPECT_THAT(csv("sep=;\nlabel;text\nx;\"a;b\"\n"), ElementsAre("3 x: a;b"));
  EXPECT_THAT(csv("SEP=|\nlabel|text\nx|a,b\n"), ElementsAre("3 x: a,b"));
  EXPECT_THAT(csv("sep=,\r\nlabel,text\r\nx,a\r\n"), ElementsAre("3 x: a"));
  DataConfig set;
  set.separator = ":";
  EXPECT_THAT(csv("x:a,b\ny:c,d\n", set), ElementsAre("1 x: a,b", "2 y: c,d"));
  set.separator = "tab";
  EXPECT_THAT(csv("x\ta,b\ny\tc,d\n", set), ElementsAre("1 x: a,b", "2 y: c,d"));
  set.separator = ";";
  EXPECT_THAT(read("a.tsv", "x;a\ny;c\n", set), ElementsAre("1 x: a", "2 y: c"));
  set.separator = "ab";
  EXPECT_THAT(message_of<ConfigError>([&] { csv("x,a\n", set); }),
              HasSubstr("data.separator is \"ab\"; expected one character"));
  set.separator = ",";
  EXPECT_THAT(
      message_of<DataError>([&] { csv("x;a\ny;b\n", set); }),
      HasSubstr(
          "a.csv:1: only one column with the separator \",\"; expected a label and at "
          "least one text (the \";\" stands in every row: --set data.separator=';' takes it"));
}

TEST(Separators, ASettingGoesBeforeAFirstLineWhichIsNoRowAllTheSame) {
  DataConfig set;
  set.separator = ",";
  EXPECT_THAT(csv("sep=;\nlabel,text\nx,a;b\n", set), ElementsAre("3 x: a;b"));
  EXPECT_THAT(csv("sep=\xA7\nlabel,text\nx,a\n", set), ElementsAre("3 x: a"));
  EXPECT_THAT(read("a.tsv", "sep=;\nlabel;text\nx;a\n"), ElementsAre("3 x: a"))
      << "a name is no setting";
  EXPECT_THAT(read_other(kNamed, "b.csv", "sep=;\nlabel,text\ny,t; u\n", true, set),
              ElementsAre("y: t; u"));
}

TEST(Separators, AFirstLineSetsOnlyWhatCanBeOne) {
  const auto refused = [](const std::string& given) {
    return message_of<DataError>([&] { csv("sep=" + given + "\nlabel,text\nx,a\n"); });
  };
  EXPECT_THAT(
      refused("\""),
      HasSubstr("a.csv:1: the first line sets the separator \"\"\"; expected one character of "
                "ASCII that is no quote and no line break, such as sep=;"));
  EXPECT_THAT(refused("\"\r"), HasSubstr("sets the separator \"\"\""));
  EXPECT_THAT(refused("\xA7"), HasSubstr("sets the separator \"\\xa7\""));
}

TEST(Separators, TheCommaOfTextsDoesNotWin) {
  // One comma in each text: both separators give two fields, only one of them a column of labels.
  std::string rows;
  std::vector<std::string> expected;
  for (int i = 0; i < 12; ++i) {
    const std::string text = fmt::format("w{}, more", i);
    const std::string label = i % 2 == 0 ? "x" : "y";
    rows += fmt::format("{};{}\n", label, text);
    expected.push_back(fmt::format("{} {}: {}", i + 1, label, text));
  }
  EXPECT_EQ(csv(rows), expected);
}

TEST(Separators, OfAFileBesideTheTrainingDataAreItsOwn) {
  EXPECT_THAT(read_other(kNamed, "b.csv", "id;label;text\n7;y;t, u\n"), ElementsAre("y: t, u"));
  EXPECT_THAT(read_other("label;text\nx;a\n", "b.csv", "label,text\ny,t; u\n"),
              ElementsAre("y: t; u"));
  EXPECT_THAT(read_other("label;text\nx;a\n", "b.tsv", "label;text\ny;t\n"), ElementsAre("y: t"));
  EXPECT_THAT(read_other(kNumbered, "b.csv", "y;t\nx;u, v\n"), ElementsAre("y: t", "x: u, v"));
  EXPECT_THAT(read_other(kNumbered, "b.csv", "y;t\nx;u\n", false), ElementsAre(": t", ": u"));
}

TEST(Separators, OfColumnsThatAreSetGiveTheirNames) {
  DataConfig set;
  set.label_column = "stars";
  set.text_columns = {"body"};
  EXPECT_THAT(read_other(kNumbered, "b.csv", "id;stars;body\n7;y;a, b\n", true, set),
              ElementsAre("y: a, b"));
}

TEST(Separators, QuotesTellWhatStandsBehindThem) {
  EXPECT_THAT(message_of<DataError>(
                  [] { read_other(kNumbered, "b.csv", "\"7\";\"y\";\"t\"\n\"8\";\"x\";\"u\"\n"); }),
              HasSubstr("b.csv:1: 3 columns; the model was trained on a file without a header"));
}

TEST(Separators, RowsThatMayBeWholeOrNotAreRefusedWithWhatSettlesIt) {
  // The model has two columns; texts alone may be one, but are hardly three.
  for (const char* rows : {"y;t;u\nx;v;w\n", "wait; what\n"}) {
    EXPECT_THAT(
        message_of<DataError>([&] { read_other(kNumbered, "b.csv", rows, false); }),
        HasSubstr("(the \";\" stands in every row: --set data.separator=';' takes it, --set "
                  "data.separator=, leaves each row whole)"));
  }
  DataConfig whole;
  whole.separator = ",";
  EXPECT_THAT(read_other(kNumbered, "b.csv", "wait; what\n", false, whole),
              ElementsAre(": wait; what"));
  EXPECT_THAT(read_other(kNumbered, "b.csv", "wait: what\n", false), ElementsAre(": wait: what"));
}

}  // namespace
}  // namespace diffuse
