#include "data/csv_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "data/support.hpp"

namespace diffuse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::message_of;
using testing::TempDir;
using Fields = std::vector<std::string>;

/// All that a file gives: records as "line|field|field", bad rows as "line! problem".
std::vector<std::string> read(const std::string& content, char separator = ',') {
  const TempDir dir;
  CsvReader reader(dir.write("a.csv", content), separator);
  std::vector<std::string> result;
  CsvRecord record;
  BadRow bad;
  for (;;) {
    switch (reader.next(record, bad)) {
      case ReadStatus::end:
        EXPECT_EQ(reader.next(record, bad), ReadStatus::end);
        return result;
      case ReadStatus::bad:
        EXPECT_FALSE(bad.expected.empty());
        result.push_back(std::to_string(bad.line) + "! " + bad.problem);
        break;
      case ReadStatus::row: {
        std::string text = std::to_string(record.line);
        for (const std::string& field : record.fields) text += "|" + field;
        result.push_back(text);
      }
    }
  }
}

TEST(CsvReader, ReadsPlainFields) {
  EXPECT_THAT(read("a,b\nc,d\n"), ElementsAre("1|a|b", "2|c|d"));
  EXPECT_THAT(read("a,b\nc,d"), ElementsAre("1|a|b", "2|c|d"));
  EXPECT_THAT(read("a,,\n,\n"), ElementsAre("1|a||", "2||"));
  EXPECT_THAT(read(" a , b \n"), ElementsAre("1| a | b "));
  EXPECT_THAT(read("alone"), ElementsAre("1|alone"));
  EXPECT_THAT(read(""), IsEmpty());
}

TEST(CsvReader, ReadsQuotedFields) {
  EXPECT_THAT(read("\"a\",\"b, c\"\n"), ElementsAre("1|a|b, c"));
  EXPECT_THAT(read("\"say \"\"hi\"\"\",\"\"\"\"\n"), ElementsAre("1|say \"hi\"|\""));
  EXPECT_THAT(read("\"\",\"\"\n"), ElementsAre("1||"));
  EXPECT_THAT(read("1,\"end\""), ElementsAre("1|1|end"));
}

TEST(CsvReader, PassesBlanksBesideQuotes) {
  EXPECT_THAT(read("a, \"b,c\"\n\"d\" ,\t\"e\" \r\n"), ElementsAre("1|a|b,c", "2|d|e"));
  EXPECT_THAT(read("a\t \"b\" \t\"\"\n", '\t'), ElementsAre("1|a|b|"));
  EXPECT_THAT(read("a, \"b\" c\nd,e\n"),
              ElementsAre("1! stray quote: text behind the closing quote of column 2", "2|d|e"));
}

TEST(CsvReader, CountsLinesInsideQuotes) {
  EXPECT_THAT(read("1,\"a\nb\r\nc\"\n2,d\n"), ElementsAre("1|1|a\nb\r\nc", "4|2|d"));
}

TEST(CsvReader, EndsRecordsAtCrLf) {
  EXPECT_THAT(read("a,b\r\n\"c\",\"d\"\r\n"), ElementsAre("1|a|b", "2|c|d"));
  EXPECT_THAT(read("a,b\r\n\"c\",\"d\"\r"), ElementsAre("1|a|b", "2|c|d"));
  EXPECT_THAT(read("a\rb,c\n"), ElementsAre("1|a\rb|c"));
}

TEST(CsvReader, PassesEmptyLinesAndTheByteOrderMark) {
  EXPECT_THAT(read("\n\r\na,b\n\n\nc,d\n\n"), ElementsAre("3|a|b", "6|c|d"));
  EXPECT_THAT(read("\xEF\xBB\xBF\"a\",b\n"), ElementsAre("1|a|b"));
  EXPECT_THAT(read("\xEF\xBB\xBF"), IsEmpty());
}

TEST(CsvReader, ReadsTabsWithTheSameQuoting) {
  EXPECT_THAT(read("a\t\"b\tc\"\nd\te, f\n", '\t'), ElementsAre("1|a|b\tc", "2|d|e, f"));
}

TEST(CsvReader, ASeparatorsLineHoldsOneCharacter) {
  EXPECT_THAT(read("sep=;\r\na;b\r\n"), ElementsAre("2|a|b"));
  EXPECT_THAT(read("sep=;"), IsEmpty());
  for (const char* line : {"sep=", "sep=ab", "sep=é", "sep=;\rz", "set=;"})
    EXPECT_THAT(read(line + std::string("\na,b\n")),
                ElementsAre("1|" + std::string(line), "2|a|b"));
  EXPECT_THAT(read("sep=\r\na,b\r\n"), ElementsAre("1|sep=", "2|a|b"));
}

TEST(CsvReader, RefusesUtf16) {
  EXPECT_THAT(message_of<DataError>([] { read(std::string("\xFF\xFEh\0i\0", 6)); }),
              HasSubstr("a.csv:1: the file is UTF-16; expected UTF-8"));
}

TEST(CsvReader, AStrayQuoteCostsItsRowAlone) {
  EXPECT_THAT(read("1,5\" disk\n2,b\n"), ElementsAre("1! stray quote inside column 2", "2|2|b"));
  EXPECT_THAT(read("1,\"a\" b\n2,b\n"),
              ElementsAre("1! stray quote: text behind the closing quote of column 2", "2|2|b"));
}

TEST(CsvReader, AnUnclosedQuoteCostsItsLineAlone) {
  EXPECT_THAT(
      read("1,a\n2,\"b\n3,c\n4,d\n"),
      ElementsAre("1|1|a", "2! the quote that opens column 2 is never closed", "3|3|c", "4|4|d"));
  EXPECT_THAT(read("1,\"a\n2,\"b\"\n3,\"c\"\n"),
              ElementsAre("1! the quote that opens column 2 is not closed before another quote on "
                          "line 2 with text behind it",
                          "2|2|b", "3|3|c"));
  EXPECT_THAT(read("1,\""), ElementsAre("1! the quote that opens column 2 is never closed"));
}

TEST(CsvReader, GoesOnBehindTheLineOfTheQuoteNotOfTheRecord) {
  EXPECT_THAT(read("\"x\ny\",\"b\n3,c\n"),
              ElementsAre("2! the quote that opens column 2 is never closed", "3|3|c"));
}

TEST(CsvReader, ARecordMayBeLongerThanABlockButNotEndless) {
  const std::string megabyte(std::size_t{1} << 20, 'x');
  EXPECT_THAT(read("1,\"" + megabyte + "\"\n2," + megabyte + "\n"),
              ElementsAre("1|1|" + megabyte, "2|2|" + megabyte));
  std::string endless;
  for (int i = 0; i < 17; ++i) endless += megabyte + "\n";
  const std::vector<std::string> rows = read("1,\"" + endless + "2,b\n");
  EXPECT_EQ(rows.front(),
            "1! the quote that opens column 2 is never closed, and the record is longer than 16 "
            "MiB");
  EXPECT_EQ(rows.back(), "18|2|b");
  EXPECT_EQ(rows.size(), 1u + 16u + 1u);
  std::string line;
  for (int i = 0; i < 17; ++i) line += megabyte;
  EXPECT_THAT(read(line + "\n2,b\n"), ElementsAre("1! the record is longer than 16 MiB", "2|2|b"));
}

TEST(CsvReader, BlanksAndManyFieldsMayNotBeEndlessEither) {
  const std::string blanks(std::size_t{17} << 20, ' ');
  const std::string too_long = "1! the record is longer than 16 MiB";
  EXPECT_THAT(read("1," + blanks + "\"a\"\n2,b\n"), ElementsAre(too_long, "2|2|b"));
  EXPECT_THAT(read("1,\"a\"" + blanks + "\n2,b\n"), ElementsAre(too_long, "2|2|b"));
  std::string fields;
  while (fields.size() <= std::size_t{16} << 20) fields += std::string(1000, 'x') + ",";
  EXPECT_THAT(read("0,a\n" + fields + "\n2,b\n"),
              ElementsAre("1|0|a", "2! the record is longer than 16 MiB", "3|2|b"));
  EXPECT_THAT(read("\"x\ny\"," + fields + "\n2,b\n"), ElementsAre(too_long, "3|2|b"))
      << "reading goes on behind it, not inside";
}

// Every file made of these pieces is read to its end, and what is written by the rules comes back.
TEST(CsvReader, ReadsBackWhatIsWrittenByTheRules) {
  const std::vector<std::string> pieces = {"",     "a",   ",",       "\"",     "\n", "\r\n",
                                           "\"\"", " b ", "x,\"y\"", "\n\"\n", "\r", "é"};
  const auto quoted = [](const std::string& field) {
    std::string text = "\"";
    for (const char c : field) text += c == '"' ? std::string("\"\"") : std::string(1, c);
    return text + "\"";
  };
  std::string content;
  std::vector<Fields> written;
  for (const std::string& first : pieces) {
    for (const std::string& second : pieces) {
      written.push_back({first, second});
      content += quoted(first) + "," + quoted(second) + (written.size() % 2 == 0 ? "\n" : "\r\n");
    }
  }
  const TempDir dir;
  CsvReader reader(dir.write("a.csv", content), ',');
  CsvRecord record;
  BadRow bad;
  for (const Fields& fields : written) {
    ASSERT_EQ(reader.next(record, bad), ReadStatus::row) << bad.problem;
    EXPECT_EQ(record.fields, fields);
  }
  EXPECT_EQ(reader.next(record, bad), ReadStatus::end);
}

// No file, however broken, stops the reader from reaching its end.
TEST(CsvReader, ReachesTheEndOfEveryFile) {
  const std::string letters = "a,\"\n\r";
  const TempDir dir;
  for (int code = 0; code < 5 * 5 * 5 * 5 * 5; ++code) {
    std::string content;
    for (int rest = code, i = 0; i < 5; ++i, rest /= 5) {
      content += letters[static_cast<std::size_t>(rest % 5)];
    }
    CsvReader reader(dir.write("a.csv", content), ',');
    CsvRecord record;
    BadRow bad;
    int steps = 0;
    while (reader.next(record, bad) != ReadStatus::end) ASSERT_LT(++steps, 10) << code;
  }
}

}  // namespace
}  // namespace diffuse
