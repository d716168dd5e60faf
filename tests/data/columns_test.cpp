#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "data/reading.hpp"

namespace diffuse {
namespace {

using ::testing::AllOf;
using testing::columns_text;
using testing::config;
using testing::csv;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::jsonl;
using testing::message_of;

TEST(CsvColumns, WithoutAHeaderTheFirstIsTheLabel) {
  EXPECT_THAT(csv("1,a title,a text\n2,b,c\n"), ElementsAre("1 1: a title a text", "2 2: b c"));
}

TEST(CsvColumns, AHeaderIsKnownByItsNames) {
  EXPECT_THAT(csv("id,text,label\n7,hello,pos\n"), ElementsAre("2 pos: hello"));
  EXPECT_THAT(csv("Description,CLASS,Title,x\nd,c,t,y\n"), ElementsAre("2 c: d t"));
  EXPECT_THAT(csv("sentiment,review\npos,good\n"), ElementsAre("2 pos: good"));
  EXPECT_THAT(csv("id,category,summary\n7,c,s\n"), ElementsAre("2 c: s"));
  EXPECT_THAT(csv("id,category,words\nx y,c,s\n"), ElementsAre("2 c: x y s"));
  EXPECT_THAT(csv("pos,a text of its own\n"), ElementsAre("1 pos: a text of its own"));
}

TEST(CsvColumns, AHeaderWithoutALabelsNameLeavesTheOneThatIsNoText) {
  EXPECT_THAT(csv("text,stars\nhello,5\n"), ElementsAre("2 5: hello"));
  EXPECT_THAT(csv("Title,Class Index,Description\nt,5,d\n"), ElementsAre("2 5: t d"));
  EXPECT_THAT(csv(" Label , text \npos,good\n"), ElementsAre("2 pos: good"));
  EXPECT_THAT(csv("id,text,stars\n7,t,5\n"), ElementsAre("2 5: t"));    // an id is none
  EXPECT_THAT(csv("kind,text,stars\n7,t,5\n"), ElementsAre("2 7: t"));  // the first
  EXPECT_THAT(message_of<DataError>([] { csv("text,kind,stars\nhello,7,5\n"); }),
              HasSubstr("a.csv:1: which column holds the label? Set data.label_column to one of "
                        "\"kind\", \"stars\""));
  EXPECT_THAT(message_of<DataError>([] { csv("title,text\nhello,you\n"); }),
              HasSubstr("which column holds the label? Set data.label_column to one of \"title\""));
}

TEST(CsvColumns, TheConfigDecidesAboutTheHeader) {
  EXPECT_THAT(csv("label,text\nx,y\n", config("", {}, HeaderMode::no)),
              ElementsAre("1 label: text", "2 x: y"));
  EXPECT_THAT(csv("one,two\nx,y\n", config("", {}, HeaderMode::yes)), ElementsAre("2 x: y"));
}

TEST(CsvColumns, AreChosenByNameOrNumber) {
  const std::string file = "stars,head,words\n5,h,w\n";
  EXPECT_THAT(csv(file, config("stars", {"words", "head"})), ElementsAre("2 5: w h"));
  EXPECT_THAT(csv(file, config("STARS", {"Words"})), ElementsAre("2 5: w"));
  EXPECT_THAT(csv("a,b,c\n", config("3", {"1"})), ElementsAre("1 c: a"));
  EXPECT_THAT(csv("a,b,c\n", config("2")), ElementsAre("1 b: a c"));
}

TEST(CsvColumns, SayWhichAreNotThere) {
  EXPECT_THAT(message_of<DataError>([] { csv("stars,words\n5,w\n", config("star")); }),
              HasSubstr("a.csv:1: there is no column \"star\" (data.label_column), did you mean "
                        "\"stars\"?; expected one of \"stars\", \"words\""));
  EXPECT_THAT(message_of<DataError>([] { csv("a,b\n", config("", {"3"})); }),
              HasSubstr("there is no column 3 (data.text_columns); expected 1 to 2"));
  EXPECT_THAT(message_of<DataError>([] { csv("a,b\n", config("0")); }),
              HasSubstr("there is no column 0 (data.label_column); expected 1 to 2"));
  EXPECT_THAT(
      message_of<DataError>([] { csv("alone\n"); }),
      HasSubstr("a.csv:1: only one column with the separator \",\"; expected a label and at "
                "least one text (are data.separator and data.format right?)"));
  EXPECT_THAT(message_of<ConfigError>([] { csv("a,b\n", config("b", {}, HeaderMode::no)); }),
              HasSubstr("data.label_column is the name \"b\", but data.header is no; expected a "
                        "column number from 1"));
  EXPECT_THAT(message_of<ConfigError>([] { csv("a,b\n", config("1", {"1"})); }),
              HasSubstr("data.text_columns holds the label column"));
}

TEST(CsvColumns, AreToldInWords) {
  EXPECT_EQ(
      columns_text("a.csv", "id,text,label\n7,hello,pos\n"),
      "the first line is a header, as it holds \"text\", label is column 3 (\"label\"), text is "
      "column 2 (\"text\")");
  EXPECT_EQ(columns_text("a.csv", "1,a,b\n"), "no header, label is column 1, text is column 2, 3");
  EXPECT_EQ(columns_text("a.jsonl", "{\"text\":\"a\",\"class\":1}\n"),
            "label is key \"class\", text is key \"text\"");
  EXPECT_THAT(
      columns_text("a.csv", "question,what is\nbug,a b\nquestion,why\n"),
      HasSubstr("no header, for its \"question\" comes again on line 3, label is column 1"));
  EXPECT_THAT(columns_text("a.csv", "x;a b\ny;c d\n"), HasSubstr("the separator is \";\""));
}

TEST(AutomaticText, LeavesOutIdentifiersNumbersDatesAndLinks) {
  const std::string file =
      "1,a1f,2024-01-02,https://a.b/c,it is good,x\n2,b7,2024-02-03,www.c.d,it is bad,y\n";
  EXPECT_THAT(csv(file, config("6")), ElementsAre("1 x: it is good", "2 y: it is bad"));
  EXPECT_THAT(columns_text("a.csv", "x,17,it is\ny,18,he was\n"),
              HasSubstr("text is column 3; not taken for text: column 2: numbers"));
  // Where nothing else is there, or where they are asked for, they are text.
  EXPECT_THAT(csv("x,17\ny,18\n"), ElementsAre("1 x: 17", "2 y: 18"));
  EXPECT_THAT(csv("x,17,a\n", config("1", {"2", "3"})), ElementsAre("1 x: 17 a"));
  EXPECT_THAT(jsonl("{\"label\":\"x\",\"uid\":\"a1\",\"words\":\"it is\"}\n"),
              ElementsAre("1 x: it is"));
}

TEST(Columns, ARepeatedHeaderMakesNoTextOfNumbersAndDates) {
  std::string part = "id,when,note,label\n";
  for (int i = 1; i < 10; ++i)
    part += fmt::format("{},2024-01-0{},words {} times,{}\n", i, i, i, i % 2 == 0 ? "x" : "y");
  EXPECT_THAT(columns_text("a.csv", part + part),
              AllOf(HasSubstr("text is column 3 (\"note\")"),
                    HasSubstr("not taken for text: column 1 (\"id\"): numbers")));
}

TEST(CsvColumns, ThePlainestNameOfALabelWins) {
  EXPECT_THAT(csv("topic,label,text\nnews,pos,hello\n"), ElementsAre("2 pos: hello"));
  EXPECT_THAT(csv("category,title,label\nnews,hello,pos\n"), ElementsAre("2 pos: hello"));
  EXPECT_THAT(jsonl("{\"class\":\"news\",\"label\":\"pos\",\"text\":\"hello\"}\n"),
              ElementsAre("1 pos: hello"));
}

TEST(CsvColumns, OfOneNameAreTakenInTheirOrder) {
  EXPECT_THAT(csv("label,text,text\nx,a,b\n"), ElementsAre("2 x: a b"));
  EXPECT_THAT(
      message_of<DataError>([] { csv("label,text,Text,text\nx,a,b,c\n", config("", {"text"})); }),
      HasSubstr("a.csv:1: 2 columns are called \"text\" (data.text_columns); expected the "
                "number of one: 2, 4"));
  EXPECT_THAT(csv("label,text,Text\nx,a,b\n", config("", {"Text"})), ElementsAre("2 x: b"));
  EXPECT_THAT(csv("label,text,text\nx,a,b\n", config("", {"3"})), ElementsAre("2 x: b"));
}

TEST(CsvColumns, AreToldWithoutWhatIsNotSeen) {
  EXPECT_THAT(columns_text("a.csv", "label,\u00A0text\u200B\nx,a\n"),
              HasSubstr("text is column 2 (\"text\")"));
  EXPECT_THAT(message_of<DataError>([] { csv("\u200Bstars,\u00A0words\n5,w\n", config("label")); }),
              HasSubstr("expected one of \"stars\", \"words\""));
}

TEST(AutomaticText, IsSaidToHoldLinksOrNumbersWhereNothingElseIsThere) {
  EXPECT_THAT(
      columns_text("a.csv", "label,title\nx,https://a.b\ny,HTTP://c.d\n"),
      HasSubstr("text is column 2 (\"title\"); column 2 (\"title\") holds links in every row"));
  EXPECT_THAT(columns_text("a.csv", "x,17\ny,18\n"),
              HasSubstr("column 2 holds numbers in every row"));
  EXPECT_THAT(columns_text("a.jsonl", "{\"label\":\"x\",\"body\":\"@a\"}\n"),
              HasSubstr("key \"body\" holds addresses in every row"));
}

}  // namespace
}  // namespace diffuse
