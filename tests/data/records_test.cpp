#include "diffuse/data/records.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <vector>

#include "data/reading.hpp"

namespace diffuse {
namespace {

using ::testing::AllOf;
using testing::csv;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::jsonl;
using testing::message_of;
using testing::read;
using testing::TempDir;

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

TEST(Quotes, MayBePlainCharacters) {
  DataConfig plain;
  plain.quote = QuoteMode::none;
  EXPECT_THAT(read("a.tsv", "x\tthe \"best\" one\ny\t\"open\n", plain),
              ElementsAre("1 x: the \"best\" one", "2 y: \"open"));
  EXPECT_THAT(read("a.tsv", "x\tthe \"best\"\n"), ElementsAre(HasSubstr("data.quote=none")));
  EXPECT_THAT(read("a.tsv", "x\t\"open\n"), ElementsAre(HasSubstr("data.quote=none")));
}

TEST(Quotes, RowsBetweenThemAreNoticed) {
  EXPECT_EQ(swallowed("a.tsv", "x\ta\ny\t\"b\nx\tc\ny\td\"\nx\te\n"), 2u);
  EXPECT_EQ(swallowed("a.csv", "x,a\ny,\"b\nx,c\ny,d\"\nx,e\n"), 2u);
  EXPECT_EQ(swallowed("a.csv", "x,a\ny,\"two\nlines, one comma\"\n"), 0u);
  EXPECT_EQ(swallowed("a.tsv", "x\t\"two\nlines\"\n"), 0u);
}

TEST(LookingAhead, IsBoundedByTheMemoryOfFieldsNotByTheirTextAlone) {
  const TempDir dir;
  const std::string row = "x,a" + std::string(10000, ',') + "\n";
  std::string content;
  for (int i = 0; i < 300; ++i) content += row;
  const int file = ::open(dir.write("a.csv", content).c_str(), O_RDONLY);
  ASSERT_GE(file, 0);
  const auto reader = open_records(DataInput(file, "a.csv"), {});
  Example example;
  BadRow bad;
  EXPECT_EQ(reader->next(example, bad), ReadStatus::row);
  EXPECT_EQ(example.text, "a");
  EXPECT_LT(::lseek(file, 0, SEEK_CUR), off_t{1} << 20) << "of three million bytes";
  ::close(file);
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

TEST(ReadTexts, GivesTheRowsOfTheseNumbersAsTheyWereWritten) {
  const TempDir dir;
  const auto path =
      dir.write("a.csv", "label,title,text\nx,One,ONE\nbad\ny,\"Two\n2\",caf\u00E9\n");
  const std::vector<std::uint64_t> numbers = {3, 9, 1, 2};
  EXPECT_THAT(read_texts(path, {}, {}, numbers), ElementsAre("Two\n2 caf\u00E9", "", "One ONE", ""))
      << "a bad row has a number, too";
  EXPECT_THAT(read_texts(path, {}, {}, {}), ElementsAre());
}

}  // namespace
}  // namespace diffuse
