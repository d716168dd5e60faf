#include "data/records.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "data/support.hpp"

namespace diffuse {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;
using testing::TempDir;

DataConfig config(std::string label = "", std::vector<std::string> texts = {},
                  HeaderMode header = HeaderMode::automatic) {
  DataConfig data;
  data.label_column = std::move(label);
  data.text_columns = std::move(texts);
  data.header = header;
  return data;
}

/// Rows as "line label: text", bad ones as "line! problem; expected".
std::vector<std::string> read(const std::string& name, const std::string& content,
                              const DataConfig& data = {}) {
  const TempDir dir;
  const auto reader = open_records(dir.write(name, content), data);
  std::vector<std::string> result;
  Example example;
  BadRow bad;
  for (;;) {
    const ReadStatus status = reader->next(example, bad);
    if (status == ReadStatus::end) return result;
    result.push_back(status == ReadStatus::row
                         ? std::to_string(example.line) + " " + example.label + ": " + example.text
                         : std::to_string(bad.line) + "! " + bad.problem + "; " + bad.expected);
  }
}

std::vector<std::string> csv(const std::string& content, const DataConfig& data = {}) {
  return read("a.csv", content, data);
}

std::vector<std::string> jsonl(const std::string& content, const DataConfig& data = {}) {
  return read("a.jsonl", content, data);
}

TEST(CsvColumns, WithoutAHeaderTheFirstIsTheLabel) {
  EXPECT_THAT(csv("1,a title,a text\n2,b,c\n"), ElementsAre("1 1: a title a text", "2 2: b c"));
}

TEST(CsvColumns, AHeaderIsKnownByItsNames) {
  EXPECT_THAT(csv("id,text,label\n7,hello,pos\n"), ElementsAre("2 pos: hello"));
  EXPECT_THAT(csv("Description,CLASS,Title,x\nd,c,t,y\n"), ElementsAre("2 c: d t"));
  EXPECT_THAT(csv("sentiment,review\npos,good\n"), ElementsAre("2 pos: good"));
  EXPECT_THAT(csv("id,category,summary\n7,c,s\n"), ElementsAre("2 c: 7 s"));
  EXPECT_THAT(csv("pos,a text of its own\n"), ElementsAre("1 pos: a text of its own"));
}

TEST(CsvColumns, AHeaderWithoutALabelsNameLeavesTheOneThatIsNoText) {
  EXPECT_THAT(csv("text,stars\nhello,5\n"), ElementsAre("2 5: hello"));
  EXPECT_THAT(csv("Title,Class Index,Description\nt,5,d\n"), ElementsAre("2 5: t d"));
  EXPECT_THAT(csv(" Label , text \npos,good\n"), ElementsAre("2 pos: good"));
  EXPECT_THAT(csv("id,text,stars\n7,t,5\n"), ElementsAre("2 7: t"));  // the first
  EXPECT_THAT(message_of<DataError>([] { csv("text,id,stars\nhello,7,5\n"); }),
              HasSubstr("a.csv:1: which column holds the label? Set data.label_column to one of "
                        "\"id\", \"stars\""));
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
  EXPECT_THAT(message_of<DataError>([] { csv("alone\n"); }),
              HasSubstr("a.csv:1: only one column; expected a label and at least one text"));
  EXPECT_THAT(message_of<ConfigError>([] { csv("a,b\n", config("b", {}, HeaderMode::no)); }),
              HasSubstr("data.label_column is the name \"b\", but data.header is no; expected a "
                        "column number from 1"));
  EXPECT_THAT(message_of<ConfigError>([] { csv("a,b\n", config("1", {"1"})); }),
              HasSubstr("data.text_columns holds the label column"));
}

std::string columns_text(const std::string& name, const std::string& content) {
  const TempDir dir;
  const auto reader = open_records(dir.write(name, content), {});
  EXPECT_EQ(reader->columns_text(), "");
  Example example;
  BadRow bad;
  reader->next(example, bad);
  return reader->columns_text();
}

TEST(CsvColumns, AreToldInWords) {
  EXPECT_EQ(
      columns_text("a.csv", "id,text,label\n7,hello,pos\n"),
      "the first line is a header, label is column 3 (\"label\"), text is column 2 (\"text\")");
  EXPECT_EQ(columns_text("a.csv", "1,a,b\n"), "no header, label is column 1, text is column 2, 3");
  EXPECT_EQ(columns_text("a.jsonl", "{\"text\":\"a\",\"class\":1}\n"),
            "label is key \"class\", text is key \"text\"");
}

TEST(CsvColumns, ThePlainestNameOfALabelWins) {
  EXPECT_THAT(csv("topic,label,text\nnews,pos,hello\n"), ElementsAre("2 pos: hello"));
  EXPECT_THAT(csv("category,title,label\nnews,hello,pos\n"), ElementsAre("2 pos: hello"));
  EXPECT_THAT(jsonl("{\"class\":\"news\",\"label\":\"pos\",\"text\":\"hello\"}\n"),
              ElementsAre("1 pos: hello"));
}

TEST(CsvRecords, LeaveOutEmptyPartsAndTrimLabels) {
  EXPECT_THAT(csv("1,,b\n 2 ,a,\"  \"\n"), ElementsAre("1 1: b", "2 2: a"));
}

TEST(CsvRecords, SayWhatIsBad) {
  EXPECT_THAT(csv("1,a\n2\n3,b,c\n4,d\n"), ElementsAre("1 1: a", "2! 1 field; 2 as on line 1",
                                                       "3! 3 fields; 2 as on line 1", "4 4: d"));
  EXPECT_THAT(csv("1,a\n2,\" \t\"\n,c\n"),
              ElementsAre("1 1: a", "2! empty text; at least one character that is not blank",
                          "3! empty label; a class name or number"));
  EXPECT_THAT(
      csv("1,a\n2,caf\xE9\n"),
      ElementsAre("1 1: a", "2! invalid UTF-8 in column 2: byte 0xE9 behind \"caf\"; UTF-8"));
  EXPECT_THAT(csv(std::string("1,a\n2,b\0c\n", 10)),
              ElementsAre("1 1: a", "2! NUL character in column 2; text"));
  EXPECT_THAT(csv("1,a\n\"2\n3\",b\n"),
              ElementsAre("1 1: a",
                          "2! the label \"2\\n3\" holds a line break; a class name or "
                          "number on one line"));
  EXPECT_THAT(csv("1,a\n2,b\"\n3,c\n"),
              ElementsAre("1 1: a",
                          "2! stray quote inside column 2; a quote inside a field doubled and the "
                          "field in quotes",
                          "3 3: c"));
}

TEST(CsvRecords, ABadFirstRowDoesNotDecideTheColumns) {
  EXPECT_THAT(csv("1,\xFF,x\n2,b\n"), ElementsAre(HasSubstr("1! invalid UTF-8"), "2 2: b"));
}

TEST(Formats, GoByTheName) {
  EXPECT_THAT(read("a.tsv", "1\ta, b\n"), ElementsAre("1 1: a, b"));
  EXPECT_THAT(read("a.tab", "1\ta, b\n"), ElementsAre("1 1: a, b"));
  EXPECT_THAT(read("a.csv.gz", testing::gzip("1,a\n")), ElementsAre("1 1: a"));
  EXPECT_THAT(read("a.jsonl.gz", testing::gzip("{\"label\":1,\"text\":\"a\"}")),
              ElementsAre("1 1: a"));
  EXPECT_THAT(read("a.ndjson", "{\"label\":1,\"text\":\"a\"}"), ElementsAre("1 1: a"));
  EXPECT_THAT(
      message_of<DataError>([] { read("a.txt", "1,a\n"); }),
      AllOf(HasSubstr("a.txt: the name does not tell the format"), HasSubstr("data.format")));
  DataConfig data;
  data.format = FileFormat::tsv;
  EXPECT_THAT(read("a.txt", "1\ta\n", data), ElementsAre("1 1: a"));
}

TEST(Jsonl, ReadsLabelsOfStringsAndWholeNumbers) {
  EXPECT_THAT(
      jsonl("{\"text\": \"a\\nb\", \"label\": \"x\"}\r\n\n{\"label\": -3, \"text\": \"c\"}"),
      ElementsAre("1 x: a\nb", "3 -3: c"));
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
      HasSubstr(
          "a.jsonl:1: there is no key label, class, category, target, topic, sentiment; expected "
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
            "2 1: a");
  EXPECT_EQ(second("[1]"), "2! the line holds array; a JSON object");
  EXPECT_EQ(second("{\"text\":\"a\"}"),
            "2! there is no key \"label\"; the label under that key in every row");
  EXPECT_EQ(second("{\"label\":1}"),
            "2! there is no key \"text\"; a text under that key in every row");
  EXPECT_EQ(second("{\"label\":1.5,\"text\":\"a\"}"),
            "2! the label \"label\" is of type number but not whole; a string or a whole number");
  EXPECT_EQ(second("{\"label\":null,\"text\":\"a\"}"),
            "2! the label \"label\" is of type null; a string or a whole number");
  EXPECT_EQ(second("{\"label\":1,\"text\":5}"), "2! the text \"text\" is of type number; a string");
  EXPECT_EQ(second("{\"label\":1,\"text\":\" \"}"),
            "2! empty text; at least one character that is not blank");
  EXPECT_EQ(second("{\"label\":1,\"text\":\"a\\u0000b\"}"), "2! NUL character in the row; text");
  EXPECT_EQ(second(std::string("{\"label\":1,\"text\":\"a\"}\0x", 24)),
            "2! NUL character at column 23; text");
  EXPECT_EQ(second("{\"label\":1,\"text\":\"\xC3\"}"),
            "2! invalid UTF-8: byte 0xC3 at column 20; UTF-8");
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

}  // namespace
}  // namespace diffuse
