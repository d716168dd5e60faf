#include "diffuse/text/labels.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.hpp"
#include "support/temp_dir.hpp"

namespace diffuse {
namespace {

using testing::data_error;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using testing::TempDir;

TEST(Labels, IndexIsThePlaceInTheList) {
  const Labels labels({"World", "Sports", "Sci/Tech"});
  EXPECT_EQ(labels.size(), 3);
  EXPECT_EQ(labels.name(2), "Sci/Tech");
  EXPECT_EQ(labels.find("Sports"), 1);
  EXPECT_EQ(labels.find("sports"), std::nullopt);
}

TEST(Labels, TextReadsBackTheSame) {
  const Labels labels({"a b", " padded ", "ü"});
  const TempDir dir;
  EXPECT_EQ(Labels::read_stored(dir.write("labels.txt", labels.text())).names(), labels.names());
}

TEST(Labels, AStoredModelKeepsNamesThatNewOnesCannotHave) {
  const TempDir dir;
  const std::string stored = "sport\nsport\u00A0\nne\u0301gatif\n\uFEFFsport\n";
  const Labels labels = Labels::read_stored(dir.write("labels.txt", stored));
  EXPECT_EQ(labels.size(), 4);
  EXPECT_EQ(labels.text(), stored);
  EXPECT_EQ(labels.find("sport\u00A0"), 1) << "exactly first";
  EXPECT_EQ(labels.find("sport\u3000"), 0);
  EXPECT_EQ(labels.find("n\u00E9gatif"), 2);
}

TEST(Labels, FindTakesEveryFormOfAName) {
  const Labels labels({"n\u00E9gatif", "New York"});
  EXPECT_EQ(labels.find("ne\u0301gatif"), 0);
  EXPECT_EQ(labels.find(" New\u00A0York\u200B"), 1);
  EXPECT_EQ(labels.find("New  York"), std::nullopt);
}

TEST(Labels, AFileOfNamesIsTakenAsItReads) {
  const TempDir dir;
  const auto names = [&dir](std::string_view content) {
    return Labels::read(dir.write("names.txt", content)).names();
  };
  EXPECT_THAT(names("sport \ncooking\n"), ElementsAre("sport", "cooking"));
  EXPECT_THAT(names("\uFEFFone\rtwo\rthree"), ElementsAre("one", "two", "three"));
  EXPECT_THAT(names("one\r\n\uFEFFtwo\n\tthree\u00A0\r"), ElementsAre("one", "two", "three"));
  EXPECT_THAT(names("ne\u0301gatif\nneutre\n\n \r\n\u200B\n"),
              ElementsAre("n\u00E9gatif", "neutre"))
      << "blank lines at the end are none";
}

TEST(Labels, ReadsCrlfByteOrderMarkAndALastLineWithoutEnd) {
  const TempDir dir;
  const auto path = dir.write("labels.txt", "\xEF\xBB\xBFone\r\ntwo\r\nthree");
  EXPECT_THAT(Labels::read(path).names(), ElementsAre("one", "two", "three"));
}

TEST(Labels, NamesThatCannotBeAreRefused) {
  EXPECT_EQ(data_error([] { Labels({"a", ""}); }), "label 1 is empty; every class needs a name");
  EXPECT_EQ(data_error([] {
              Labels({"a", "b", "a"});
            }),
            "labels 0 and 2 have the same name 'a'; names must differ");
  EXPECT_THAT(data_error([] { Labels({"a\nb"}); }),
              EndsWith("holds a line break; a label file has one name a line"));
  EXPECT_THAT(data_error([] { Labels({"a\rb"}); }), HasSubstr("holds a line break"));
}

TEST(Labels, AFileInAnotherEncodingComesWithTheCommandThatConvertsIt) {
  const TempDir dir;
  const auto path = dir.write("l.txt", "caf\xE9\nbar\n");
  const std::string file = path.string();
  EXPECT_EQ(data_error([&] { Labels::read(path); }),
            file +
                ":1: byte 4 of the line is not valid UTF-8; expected one label a line in UTF-8 "
                "(`iconv -f WINDOWS-1252 -t UTF-8 " +
                file + " > l-utf8.txt` converts a file in Windows-1252)");
  using std::string_view_literals::operator""sv;
  for (const std::string_view content : {"\xFF\xFE"
                                         "a\0\n\0b\0"sv,
                                         "\xFE\xFF\0a\0\n\0b"sv}) {
    dir.write("l.txt", content);
    EXPECT_EQ(data_error([&] { Labels::read(path); }),
              file + ":1: the file is UTF-16; expected UTF-8: `iconv -f UTF-16 -t UTF-8 " + file +
                  " > l-utf8.txt`");
  }
}

TEST(Labels, FileErrorsNameFileAndLine) {
  const TempDir dir;
  const auto error_of = [&dir](std::string_view content) {
    const auto path = dir.write("l.txt", content);
    const std::string message = data_error([&path] { Labels::read(path); });
    EXPECT_THAT(message, StartsWith(path.string() + ":"));
    return message.substr(path.string().size());
  };
  EXPECT_EQ(error_of(""), ": is empty; expected one label a line");
  EXPECT_EQ(error_of("a\n\nb\n"), ":2: the line is empty; expected one label a line");
  EXPECT_EQ(error_of("a\nb\r\na\n"), ":3: label 'a' is on line 1 already; each may come only once");
  EXPECT_EQ(error_of("a\nb\x81\n"),
            ":2: byte 2 of the line is not valid UTF-8; expected one label a line in UTF-8");
  EXPECT_EQ(error_of("a\rb\ra\n"), ":3: label 'a' is on line 1 already; each may come only once");
  EXPECT_EQ(error_of("a\n \u200B\nb\n"), ":2: the line is empty; expected one label a line");
  EXPECT_EQ(error_of(" \n\uFEFF\n"), ": is empty; expected one label a line");
  EXPECT_EQ(error_of("sport\nx\nsport\u00A0\n"),
            ":3: label 'sport' is on line 1 already; each may come only once");
}

TEST(Labels, AStoredFileWithALoneCarriageReturnIsRefused) {
  const TempDir dir;
  const auto path = dir.write("l.txt", "a\nb\rc\n");
  EXPECT_THAT(data_error([&path] { Labels::read_stored(path); }),
              HasSubstr(":2: label 'b\\rc' holds a carriage return"));
}

TEST(Labels, MissingFileAndFolderAreDataErrors) {
  const TempDir dir;
  EXPECT_EQ(data_error([&dir] { Labels::read(dir.path() / "none"); }),
            (dir.path() / "none").string() +
                ": there is no such file; expected a file with one label a line");
  EXPECT_EQ(data_error([&dir] { Labels::read(dir.path()); }),
            dir.path().string() + ": is a folder; expected a file with one label a line");
}

}  // namespace
}  // namespace diffuse
