#include "diffuse/data/records.hpp"

#include <fmt/core.h>
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

std::string columns_text(const std::string& name, const std::string& content) {
  const TempDir dir;
  const auto reader = open_records(dir.write(name, content), {});
  EXPECT_EQ(reader->layout(), nullptr);
  Example example;
  BadRow bad;
  reader->next(example, bad);
  return reader->layout()->description;
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

TEST(Separators, AreFoundOrSet) {
  EXPECT_THAT(csv("label;text\nx;a, b\ny;c\n"), ElementsAre("2 x: a, b", "3 y: c"));
  EXPECT_THAT(csv("label|text\nx|a\ny|c\n"), ElementsAre("2 x: a", "3 y: c"));
  EXPECT_THAT(csv("label\ttext\nx\ta\n"), ElementsAre("2 x: a"));
  EXPECT_THAT(csv("sep=;\nlabel;text\nx;\"a;b\"\n"), ElementsAre("3 x: a;b"));
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
      HasSubstr("a.csv:1: only one column with the separator \",\"; expected a label and at "
                "least one text (--set data.separator=';' takes the \";\""));
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

TEST(Quotes, MayBePlainCharacters) {
  DataConfig plain;
  plain.quote = QuoteMode::none;
  EXPECT_THAT(read("a.tsv", "x\tthe \"best\" one\ny\t\"open\n", plain),
              ElementsAre("1 x: the \"best\" one", "2 y: \"open"));
  EXPECT_THAT(read("a.tsv", "x\tthe \"best\"\n"), ElementsAre(HasSubstr("data.quote=none")));
  EXPECT_THAT(read("a.tsv", "x\t\"open\n"), ElementsAre(HasSubstr("data.quote=none")));
}

/// Lines that look like rows inside of quotes.
std::size_t swallowed(const std::string& name, const std::string& content) {
  const TempDir dir;
  const auto reader = open_records(dir.write(name, content), {});
  Example example;
  BadRow bad;
  while (reader->next(example, bad) != ReadStatus::end) {
  }
  return reader->notes().swallowed;
}

TEST(Quotes, RowsBetweenThemAreNoticed) {
  EXPECT_EQ(swallowed("a.tsv", "x\ta\ny\t\"b\nx\tc\ny\td\"\nx\te\n"), 2u);
  EXPECT_EQ(swallowed("a.csv", "x,a\ny,\"b\nx,c\ny,d\"\nx,e\n"), 2u);
  EXPECT_EQ(swallowed("a.csv", "x,a\ny,\"two\nlines, one comma\"\n"), 0u);
  EXPECT_EQ(swallowed("a.tsv", "x\t\"two\nlines\"\n"), 0u);
}

TEST(TextBytes, CarriageReturnsAloneEndRecords) {
  EXPECT_THAT(csv("label,text\rx,a\ry,b\r"), ElementsAre("2 x: a", "3 y: b"));
  EXPECT_THAT(csv("x,\"a\nb\"\ry,c\r"), ElementsAre("1 x: a\nb", "3 y: c"));
  EXPECT_THAT(jsonl("{\"label\":1,\"text\":\"a\"}\r{\"label\":2,\"text\":\"b\"}\r"),
              ElementsAre("1 1: a", "2 2: b"));
}

TEST(TextBytes, AByteOrderMarkIsSkippedWhereverAFileBegan) {
  EXPECT_THAT(csv("\xEF\xBB\xBFx,a\n\xEF\xBB\xBFy,b\n\xEF\xBB\xBF\"z\",c\n"),
              ElementsAre("1 x: a", "2 y: b", "3 z: c"));
  EXPECT_THAT(jsonl("{\"label\":1,\"text\":\"a\"}\n\xEF\xBB\xBF{\"label\":2,\"text\":\"b\"}\n"),
              ElementsAre("1 1: a", "2 2: b"));
}

TEST(TextBytes, OtherEncodingsNameTheCommandThatConverts) {
  const auto refused = [](const std::string& content) {
    return message_of<DataError>([&] { csv(content); });
  };
  EXPECT_THAT(refused(std::string("\xFF\xFEx\0,\0", 6)),
              AllOf(HasSubstr("a.csv:1: the file is UTF-16; expected UTF-8: `iconv -f UTF-16 -t "
                              "UTF-8 "),
                    HasSubstr("a.csv > a-utf8.csv`")));
  EXPECT_THAT(refused(std::string("x\0,\0a\0", 6)), HasSubstr("iconv -f UTF-16LE -t UTF-8 "));
  EXPECT_THAT(refused(std::string("\0x\0,\0a", 6)), HasSubstr("iconv -f UTF-16BE -t UTF-8 "));
  EXPECT_THAT(csv("x,caf\xE9\n").at(0), AllOf(HasSubstr("iconv -f WINDOWS-1252 -t UTF-8 "),
                                              HasSubstr("a.csv > a-utf8.csv`")));
}

/// Rows of `content` read by the columns of a training file.
std::vector<std::string> read_other(const std::string& training, const std::string& name,
                                    const std::string& content, bool need_label = true,
                                    const DataConfig& data = {}) {
  const TempDir dir;
  Example example;
  BadRow bad;
  const std::string first = training.starts_with('{') ? "t.jsonl" : "t.csv";
  const auto train = open_records(dir.write(first, training), {});
  train->next(example, bad);
  ReadOptions options;
  options.layout = *train->layout();
  options.need_label = need_label;
  const auto reader = open_records(dir.write(name, content), data, options);
  std::vector<std::string> result;
  for (;;) {
    const ReadStatus status = reader->next(example, bad);
    if (status == ReadStatus::end) return result;
    result.push_back(status == ReadStatus::row ? example.label + ": " + example.text : bad.problem);
  }
}

const char* const kNamed = "label,text\nx,a\n";
const char* const kNumbered = "x,a b\ny,c\n";

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
      ElementsAre("1 1: a",
                  HasSubstr("2! invalid UTF-8 in column 2: byte 0xE9 behind \"caf\"; UTF-8 (")));
  EXPECT_THAT(csv(std::string("1,a\n2,b\0c\n", 10)),
              ElementsAre("1 1: a", "2! NUL character in column 2; text"));
  EXPECT_THAT(csv("1,a\n\"2\n3\",b\n"),
              ElementsAre("1 1: a",
                          "2! the label \"2\\n3\" holds a line break; a class name or "
                          "number on one line"));
  EXPECT_THAT(csv("1,a\n2,b\"\n3,c\n"),
              ElementsAre("1 1: a",
                          "2! stray quote inside column 2; a quote inside a field doubled and the "
                          "field in quotes (data.quote=none where quotes are plain characters)",
                          "3 3: c"));
}

TEST(CsvRecords, ABadFirstRowDoesNotDecideTheColumns) {
  EXPECT_THAT(csv("1,\xFF,x\n2,b\n"), ElementsAre(HasSubstr("1! invalid UTF-8"), "2 2: b"));
}

TEST(Formats, GoByTheName) {
  EXPECT_THAT(read("a.tsv", "1\ta, b\n"), ElementsAre("1 1: a, b"));
  EXPECT_THAT(read("a.tab", "1\ta, b\n"), ElementsAre("1 1: a, b"));
  EXPECT_THAT(read("a.csv.gz", testing::gzip("1,a\n")), ElementsAre("1 1: a"));
  EXPECT_THAT(read("A.CSV", "1,a\n"), ElementsAre("1 1: a"));
  EXPECT_THAT(read("A.TSV.GZ", testing::gzip("1\ta\n")), ElementsAre("1 1: a"));
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

}  // namespace
}  // namespace diffuse
