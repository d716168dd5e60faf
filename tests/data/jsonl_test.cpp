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
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::jsonl;
using testing::message_of;
using testing::read;

TEST(Jsonl, ReadsLabelsOfStringsNumbersAndTruths) {
  EXPECT_THAT(
      jsonl("{\"text\": \"a\\nb\", \"label\": \"x\"}\r\n\n{\"label\": -3, \"text\": \"c\"}"),
      ElementsAre("1 x: a\nb", "3 -3: c"));
  EXPECT_THAT(jsonl("{\"text\":\"a\",\"label\":true}\n{\"label\":1.5,\"text\":\"c\"}"),
              ElementsAre("1 true: a", "2 1.5: c"));
}

TEST(Jsonl, ChoosesKeys) {
  EXPECT_THAT(jsonl("{\"id\":\"7\",\"Body\":\"b\",\"Class\":\"x\",\"title\":\"t\"}\n"),
              ElementsAre("1 x: b t"));
  EXPECT_THAT(jsonl("{\"id\":7,\"words\":\"w\",\"class\":\"x\",\"more\":\"m\"}\n"),
              ElementsAre("1 x: w m"));
  EXPECT_THAT(jsonl("{\"1\":\"w\",\"2\":\"x\"}\n", config("2", {"1"})), ElementsAre("1 x: w"));
}

TEST(Jsonl, ATextThatIsNullLacksItsTextAndIsStillTheText) {
  const std::string null_first =
      "{\"label\":\"x\",\"text\":null,\"note\":\"n\"}\n{\"label\":\"y\",\"text\":\"t\",\"note\":"
      "\"n\"}\n";
  EXPECT_THAT(jsonl(null_first),
              ElementsAre("1! the text \"text\" is of type null; a string", "2 y: t"));
  EXPECT_THAT(jsonl("{\"label\":\"x\",\"title\":\"t\",\"comment\":5}\n"), ElementsAre("1 x: t"));
}

TEST(Jsonl, SaysWhichKeysAreNotThere) {
  EXPECT_THAT(
      message_of<DataError>([] { jsonl("{\"a\":\"x\",\"text\":\"t\"}"); }),
      HasSubstr("a.jsonl:1: there is no key label, class, category, target, topic, sentiment, "
                "labels, categories, tags; expected "
                "one of them, or data.label_column to name one of \"a\", \"text\""));
  EXPECT_THAT(
      message_of<DataError>([] { jsonl("{\"label\":1,\"text\":\"t\"}", config("", {"b"})); }),
      HasSubstr("there is no key \"b\" (data.text_columns); expected one of \"label\", "
                "\"text\""));
  EXPECT_THAT(message_of<DataError>([] { jsonl("{\"label\":1,\"id\":2}"); }),
              HasSubstr("no key but the label's holds a string"));
}

TEST(Jsonl, SaysWhatIsBad) {
  const std::string good = "{\"label\":1,\"text\":\"a\"}\n";
  const auto second = [&](const std::string& line) { return jsonl(good + line + "\n").at(1); };
  EXPECT_EQ(second("{\"label\":1,\"text\":\"a\",\"text\":\"b\"}"),
            "2! the key \"text\" stands twice; each key once");
  EXPECT_EQ(second("{\"label\":1,\"text\":\"a\",\"more\":{\"x\":1,\"x\":2,\"label\":3}}"),
            "2! the key \"x\" of \"more\" stands twice; each key once");
  EXPECT_EQ(second("{\"label\":1,\"text\":\"a\",\"more\":{\"y\":{\"x\":1,\"x\":2},\"label\":3}}"),
            "2 1: a")
      << "nobody reads what stands there";
  EXPECT_EQ(
      second("[1]"),
      "2! the line holds array; a JSON object; `jq -c '.[]'` writes the elements of an array as "
      "such lines");
  EXPECT_EQ(second("{\"text\":\"a\"}"),
            "2! there is no key \"label\"; the label under that key in every row");
  EXPECT_EQ(second("{\"label\":1}"),
            "2! there is no key \"text\"; a text under that key in every row");
  EXPECT_EQ(second("{\"label\":null,\"text\":\"a\"}"),
            "2! the label \"label\" is of type null; a string, a number, true or false");
  EXPECT_EQ(second("{\"label\":1,\"text\":5}"), "2! the text \"text\" is of type number; a string");
  EXPECT_EQ(second("{\"label\":1,\"text\":\" \"}"),
            "2! empty text; at least one character that is not blank");
  EXPECT_EQ(second("{\"label\":1,\"text\":\"a\\u0000b\"}"), "2! NUL character in the row; text");
  EXPECT_EQ(second(std::string("{\"label\":1,\"text\":\"a\"}\0x", 24)),
            "2! NUL character at column 23; text");
  EXPECT_THAT(second("{\"label\":1,\"text\":\"\xC3\"}"),
              HasSubstr("2! invalid UTF-8: byte 0xC3 at column 20; UTF-8 ("));
  EXPECT_THAT(second("{\"label\":1,\"text\":\"a\""), HasSubstr("2! not valid JSON at column 22; "));
  EXPECT_THAT(second("{\"label\":1,\"text\":\"a\"} x"), HasSubstr("2! not valid JSON at column"));
  EXPECT_THAT(second("{\"label\":1,\"text\":\"\\ud800\"}"), HasSubstr("2! not valid JSON"));
  EXPECT_EQ(second("{\"label\":1,\"text\":\"a\",\"n\":1e999}"),
            "2! a number that is out of range; numbers of at most 1e308");
}

TEST(Jsonl, ALineMayNotBeEndless) {
  const std::string endless(std::size_t{17} << 20, 'x');
  EXPECT_THAT(
      jsonl("{\"label\":1,\"text\":\"a\"}\n" + endless + "\n{\"label\":2,\"text\":\"b\"}\n"),
      ElementsAre("1 1: a", "2! the line is longer than 16 MiB; one JSON object a line", "3 2: b"));
}

TEST(Jsonl, AnObjectMayNotHoldEndlesslyManyKeys) {
  const auto with_keys = [](int count) {
    std::string keys;
    for (int i = 0; i < count; ++i) keys += ",\"" + std::to_string(i) + "\":0";
    return "{\"label\":1,\"text\":\"a\"" + keys + "}\n";
  };
  EXPECT_THAT(jsonl(with_keys(1000) + with_keys(20000)),
              ElementsAre("1 1: a",
                          "2! an object holds more than 10000 keys; fewer (a soft label of so many "
                          "classes: a list)"));
}

TEST(Jsonl, AKeyThatTheFirstObjectLacksIsReadToo) {
  const std::string rows =
      "{\"label\":1,\"text\":\"a\"}\n{\"title\":\"b\",\"label\":2,\"text\":\"c\"}\n{\"label\":3,"
      "\"title\":\"d\"}\n{\"label\":4}\n";
  EXPECT_THAT(jsonl(rows), ElementsAre("1 1: a", "2 2: c b", "3 3: d", HasSubstr("4! empty text")));
  EXPECT_THAT(jsonl(rows, config("", {"title", "text"})),
              ElementsAre("1 1: a", "2 2: b c", "3 3: d", HasSubstr("4! empty text")));
  EXPECT_THAT(columns_text("a.jsonl", rows),
              HasSubstr("text is key \"text\" (not in every row), \"title\" (not in every row)"));
  EXPECT_THAT(
      jsonl("{\"n\":1,\"text\":\"a\"}\n{\"label\":2,\"text\":\"c\"}\n"),
      ElementsAre("1! there is no key \"label\"; the label under that key in every row", "2 2: c"));
}

TEST(Jsonl, OfAnArrayOrInSeveralLinesNamesTheCommandThatConverts) {
  EXPECT_THAT(jsonl("[{\"label\":1,\"text\":\"a\"},\n{\"label\":2,\"text\":\"b\"}]\n").at(0),
              HasSubstr("`jq -c '.[]'`"));
  EXPECT_THAT(jsonl("{\n\"label\":1,\n\"text\":\"a\"\n}\n").at(0), HasSubstr("`jq -c .`"));
  EXPECT_THAT(message_of<DataError>([] { read("a.json", "[]"); }),
              AllOf(HasSubstr("the name does not tell the format"), HasSubstr("`jq -c '.[]' ")));
  EXPECT_THAT(message_of<DataError>([] { read("a.csv", "\n[{\"label\": 1}]\n"); }),
              AllOf(HasSubstr("a.csv:1: the file holds a JSON array"), HasSubstr("> a.jsonl`")));
  EXPECT_THAT(message_of<DataError>([] { read("a.csv", "{ \"label\": 1, \"text\": \"a\"}\n"); }),
              HasSubstr("a.csv:1: the file holds JSON objects; expected CSV or TSV, or a name that "
                        "ends in .jsonl (or --set data.format=jsonl)"));
}

}  // namespace
}  // namespace diffuse
