#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "data/reading.hpp"

namespace diffuse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::kNamed;
using testing::kNumbered;
using testing::message_of;
using ::testing::Not;
using testing::read_other;
using testing::TempDir;

TEST(OtherFiles, AreReadByTheNamesOfTheTrainingFile) {
  EXPECT_THAT(read_other(kNamed, "b.csv", "comment,text,label\nc,t,y\n"), ElementsAre("y: t"));
  EXPECT_THAT(read_other(kNamed, "b.tsv", "Label\tText\ny\tt\n"), ElementsAre("y: t"));
  EXPECT_THAT(read_other(kNamed, "b.jsonl", "{\"body\":\"b\",\"text\":\"t\",\"label\":\"y\"}"),
              ElementsAre("y: t"));
  EXPECT_THAT(read_other("{\"label\":\"x\",\"body\":\"a\"}", "b.csv", "text,body,label\nt,b,y\n"),
              ElementsAre("y: b"));
}

TEST(OtherFiles, ThatLackTheNamesAreRefused) {
  const auto refused = [](const std::string& name, const std::string& content) {
    return message_of<DataError>([&] { read_other(kNamed, name, content); });
  };
  EXPECT_THAT(
      refused("b.csv", "id,text\n7,t\n"),
      HasSubstr("b.csv:1: there is no column \"label\", which the model was trained with "
                "(label \"label\", text \"text\"); expected it among \"id\", \"text\", or --set "
                "data.label_column=NAME"));
  EXPECT_THAT(refused("b.csv", "label,body\nx,t\n"), HasSubstr("--set data.text_columns=NAME"));
  EXPECT_THAT(
      refused("b.csv", "x,some words\n"),
      HasSubstr("--set data.header=no --set data.label_column=1 --set data.text_columns=2"));
  EXPECT_THAT(refused("b.jsonl", "{\"id\":\"7\",\"text\":\"t\"}"),
              HasSubstr("there is no key \"label\", which the model was trained with"));
  DataConfig set;
  set.label_column = "stars";
  EXPECT_THAT(read_other(kNamed, "b.csv", "stars,text\nx,t\n", true, set), ElementsAre("x: t"));
  set = {};
  set.header = HeaderMode::no;
  set.label_column = "1";
  set.text_columns = {"2"};
  EXPECT_THAT(read_other(kNamed, "b.csv", "x,t,u\n", true, set), ElementsAre("x: t"));
}

TEST(OtherFiles, OfAModelThatKnowsNoColumnOfTheLabelAreRefused) {
  const TempDir dir;
  ReadOptions options;
  options.layout.emplace();
  options.layout->columns = 2;
  options.layout->texts = {{"", 2}};
  const auto read_first = [&](const DataConfig& data) {
    const auto reader = open_records(dir.write("b.csv", "x,a\ny,b\n"), data, options);
    Example example;
    BadRow bad;
    reader->next(example, bad);
    return example.label + ": " + example.text;
  };
  EXPECT_THAT(
      message_of<DataError>([&] { read_first({}); }),
      HasSubstr("b.csv:1: what is known of the model's data (data.json) names no column of "
                "the label; expected a model that was trained on a table with one, or --set "
                "data.label_column=N"));
  DataConfig set;
  set.label_column = "1";
  EXPECT_EQ(read_first(set), "x: a");
  options.need_label = false;
  EXPECT_EQ(read_first({}), ": a");
}

TEST(OtherFiles, AreReadByNumberWhereThereAreNoNames) {
  EXPECT_THAT(read_other(kNumbered, "b.csv", "y,t\n"), ElementsAre("y: t"));
  EXPECT_THAT(read_other(kNumbered, "b.csv", "label,text\ny,t\n"), ElementsAre("y: t"));
  EXPECT_THAT(read_other(kNumbered, "b.csv", "question,how do I\n"),
              ElementsAre("question: how do I"));
  EXPECT_THAT(message_of<DataError>([] { read_other(kNumbered, "b.csv", "y,t,u\n"); }),
              HasSubstr("b.csv:1: 3 columns; the model was trained on a file without a header and "
                        "with 2 columns (label 1, text 2)"));
  EXPECT_THAT(message_of<DataError>([] { read_other(kNumbered, "b.csv", "text,label\nt,y\n"); }),
              HasSubstr("the header calls column 2 \"label\""));
}

TEST(OtherFiles, WhoseHeaderContradictsTheNumbersAreRefused) {
  const auto refused = [](const std::string& content, bool need_label) {
    return message_of<DataError>([&] { read_other(kNumbered, "b.csv", content, need_label); });
  };
  EXPECT_THAT(refused("id,text\n7,t\n", true),
              HasSubstr("b.csv:1: the header calls column 1 \"id\", but the model was trained on a "
                        "file without a header whose label stood there"));
  EXPECT_THAT(refused("label,date\ny,t\n", true), HasSubstr("whose text stood there"));
  EXPECT_THAT(refused("text,label\nt,y\n", false),
              HasSubstr("the header calls column 2 \"label\""));
  EXPECT_THAT(read_other(kNumbered, "b.csv", "label,text\ny,t\n", false), ElementsAre(": t"));
}

TEST(TextsAlone, NeedNoLabel) {
  EXPECT_THAT(read_other(kNamed, "b.csv", "id,text\n7,t\n", false), ElementsAre(": t"));
  EXPECT_THAT(read_other(kNamed, "b.csv", "text\nt\n", false), ElementsAre(": t"));
  EXPECT_THAT(read_other(kNumbered, "b.csv", "y,t\n", false), ElementsAre(": t"));
  EXPECT_THAT(read_other(kNumbered, "b.csv", "t\n", false), ElementsAre(": t"));
  // Numbers are no keys; each object's text is found by itself.
  EXPECT_THAT(
      read_other(kNumbered, "b.jsonl",
                 "{\"title\":\"a\",\"body\":\"b\"}\n\n{\"words\":\"c\"}\n{\"n\":1}\n", false),
      ElementsAre(": a b", "empty line", ": c",
                  "there is no key \"text\", nor another that holds a text"));
}

TEST(TextsAlone, CarryColumnsThrough) {
  const TempDir dir;
  ReadOptions options;
  options.need_label = false;
  options.keep = {"id", "2"};
  const auto reader =
      open_records(dir.write("a.csv", "id,when,text\n7,today,\"a\nb\"\n"), {}, options);
  Example example;
  BadRow bad;
  ASSERT_EQ(reader->next(example, bad), ReadStatus::row);
  ASSERT_EQ(example.kept.size(), 2u);
  EXPECT_EQ(example.kept[0].text, "7");
  EXPECT_EQ(example.kept[1].text, "today");
  EXPECT_EQ(example.text, "a\nb");
  options.keep = {"ident"};
  const auto other = open_records(dir.write("b.csv", "id,text\n7,a\n"), {}, options);
  EXPECT_THAT(message_of<DataError>([&] { other->next(example, bad); }),
              HasSubstr("there is no column \"ident\" (--keep)"));
}

TEST(OtherFiles, HaveEachOfSeveralColumnsOfOneName) {
  const char* const twice = "label,text,text\nx,a,b\n";
  EXPECT_THAT(read_other(twice, "b.csv", "text,label,id,text\nt,y,7,u\n"), ElementsAre("y: t u"));
  EXPECT_THAT(read_other(twice, "b.csv", "text,id,text\nt,7,u\n", false), ElementsAre(": t u"));
  EXPECT_THAT(message_of<DataError>([&] { read_other(twice, "b.csv", "label,text\ny,t\n"); }),
              HasSubstr("there is no column \"text\" (number 2 of that name), which"));
  EXPECT_THAT(message_of<DataError>(
                  [&] { read_other(twice, "b.jsonl", "{\"label\":\"y\",\"text\":\"t\"}"); }),
              HasSubstr("there is no key \"text\" (number 2 of that name)"));
}

TEST(OtherFiles, WithOneUsualNameHaveAHeader) {
  EXPECT_THAT(read_other(kNumbered, "b.csv", "stars,text\ny,t\n"), ElementsAre("y: t"));
  EXPECT_THAT(read_other(kNumbered, "b.csv", "label,words\ny,t\n"), ElementsAre("y: t"));
}

TEST(OtherFiles, OfATrainingAreNotAdvisedToChangeItsSettings) {
  const auto refused = [](const std::string& training, const std::string& content) {
    return message_of<DataError>([&] { read_other(training, "b.csv", content, true, {}, false); });
  };
  for (const std::string& message :
       {refused(kNamed, "x,some words\n"), refused(kNamed, "label,body\nx,t\n"),
        refused(kNumbered, "y,t,u\n"), refused(kNumbered, "text,label\nt,y\n"),
        refused(kNumbered, "label,date\ny,t\n"), refused(kNumbered, "y;t;u\nx;v;w\n")}) {
    EXPECT_THAT(message, Not(HasSubstr("--set")));
    EXPECT_THAT(message, HasSubstr("expected"));
  }
}

TEST(TextsAlone, OfSeveralKeysMayLackSome) {
  const char* const two = "{\"label\":\"x\",\"title\":\"a\",\"Body\":\"b\"}";
  EXPECT_THAT(read_other(two, "b.jsonl",
                         "{\"title\":\"t\"}\n{\"body\":\"u\",\"title\":null}\n{\"n\":1}\n", false),
              ElementsAre(": t", ": u", "there is no key \"title\", \"Body\", nor \"text\""));
}

}  // namespace
}  // namespace diffuse
