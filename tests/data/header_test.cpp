#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "data/reading.hpp"

namespace diffuse {
namespace {

using testing::csv;
using ::testing::ElementsAre;
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

}  // namespace
}  // namespace diffuse
