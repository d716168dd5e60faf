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
  EXPECT_EQ(Labels::read(dir.write("labels.txt", labels.text())).names(), labels.names());
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
  EXPECT_EQ(error_of("a\nb\xFF\n"),
            ":2: byte 2 of the line is not valid UTF-8; expected one label a line in UTF-8");
  EXPECT_THAT(error_of("a\nb\rc\n"), StartsWith(":2: label 'b"));
  EXPECT_THAT(error_of("a\nb\rc\n"), HasSubstr("holds a carriage return"));
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
