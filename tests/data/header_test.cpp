#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "data/reading.hpp"

namespace diffuse {
namespace {

using testing::columns_text;
using testing::csv;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::TempDir;

TEST(Header, IsNoneWhereAWordComesAgainBelow) {
  EXPECT_THAT(csv("question,how\nbug,crash\nquestion,why\n"),
              ElementsAre("1 question: how", "2 bug: crash", "3 question: why"));
  // As a whole, too, where that is not rare.
  EXPECT_THAT(csv("question,yes\nbug,no\nquestion,yes\n"),
              ElementsAre("1 question: yes", "2 bug: no", "3 question: yes"));
}

TEST(Header, OfUsualNamesAloneIsOneWhateverComesBelow) {
  EXPECT_THAT(csv("label,text\ntext,label\nx,text\n"), ElementsAre("2 text: label", "3 x: text"));
  EXPECT_THAT(csv("id,label,text\n7,x,text\n"), ElementsAre("2 x: text"));
}

TEST(Header, ThatComesAgainIsLeftOut) {
  std::string rows = "label,text,shop\n";
  for (int i = 0; i < 20; ++i) rows += "x,words,s\n";
  const TempDir dir;
  const auto reader = open_records(dir.write("a.csv", rows + rows), {});
  Example example;
  BadRow bad;
  int count = 0;
  while (reader->next(example, bad) == ReadStatus::row) ++count;
  EXPECT_EQ(count, 40);
  EXPECT_THAT(reader->notes().repeated_headers, ElementsAre(22u));
}

TEST(Header, InAnotherCaseThatComesAgainIsLeftOut) {
  EXPECT_THAT(csv("label,text\nx,a\nLabel,Text\ny,b\n\xEF\xBB\xBFLABEL , text\nx,c\n"),
              ElementsAre("2 x: a", "4 y: b", "6 x: c"));
  EXPECT_THAT(csv("label,words\nx,a\nLABEL,Words\ny,b\n"), ElementsAre("2 x: a", "4 y: b"));
}

TEST(Header, OfAShortFileMayComeAgainToo) {
  // A label's name, two usual names, a word above numbers: nobody answers like that.
  EXPECT_THAT(csv("label,words\nx,a b\nlabel,words\ny,c d\n"), ElementsAre("2 x: a b", "4 y: c d"));
  EXPECT_THAT(csv("kind,title,body\nx,a,b\nkind,title,body\ny,c,d\n"),
              ElementsAre("2 x: a b", "4 y: c d"));
  EXPECT_THAT(csv("text,stars\na,5\ntext,stars\nb,1\n"), ElementsAre("2 5: a", "4 1: b"));
}

TEST(Header, OfPandasIndexHasNoNameAndIsNotRead) {
  EXPECT_THAT(csv(",stars,words\n0,x,a b\n1,y,c d\n"), ElementsAre("2 x: a b", "3 y: c d"));
  EXPECT_THAT(csv("Unnamed: 0,label,text\n10,x,a\n7,y,b\n"), ElementsAre("2 x: a", "3 y: b"));
  EXPECT_THAT(columns_text("a.csv", ",stars,words\n0,x,a b\n1,y,c d\n"),
              HasSubstr("column 1 numbers the rows and is not read"));
  EXPECT_THAT(columns_text("a.csv", ",label,text\n0,x,a b\n1,y,c d\n"),
              HasSubstr("column 1 numbers the rows and is not read"));
}

}  // namespace
}  // namespace diffuse
