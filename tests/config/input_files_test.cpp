#include "diffuse/config/input_files.hpp"

#include <gmock/gmock.h>

#include <filesystem>

#include "config/support.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/config/load.hpp"
#include "support/message_of.hpp"

namespace diffuse::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class InputFilesTest : public ::testing::Test {
 protected:
  InputFilesTest() {
    for (const char* name : {"news-2.csv", "news-10.csv", "news-1.csv", "old.csv", "a[1].csv"})
      dir_.write(name, "");
    dir_.write("news-4.csv/inside", "");
  }
  std::string in(const std::string& name) const { return (dir_.path() / name).string(); }
  std::string fault(const InputFiles& files) const {
    return message_of<DataError>([&] { find_files(files, "data.train"); });
  }

  TempDir dir_;
};

TEST_F(InputFilesTest, PatternsGiveTheFilesThatTheyMatchInTheOrderOfTheirBytes) {
  EXPECT_THAT(find_files({std::vector{in("old.csv"), in("news-*.csv")}}, "data.train"),
              ElementsAre(in("old.csv"), in("news-1.csv"), in("news-10.csv"), in("news-2.csv")))
      << "and no folder";
  EXPECT_THAT(find_files(in("news-[12].csv"), "data.train"),
              ElementsAre(in("news-1.csv"), in("news-2.csv")));
  EXPECT_THAT(find_files(in("ol?.csv"), "data.train"), ElementsAre(in("old.csv")));
  EXPECT_THAT(find_files(in("a[1].csv"), "data.train"), ElementsAre(in("a[1].csv")))
      << "a file that is called so";
  EXPECT_THAT(find_files(in("none.csv"), "data.train"), ElementsAre(in("none.csv")))
      << "whoever opens it says that it is not there";
  EXPECT_THAT(find_files({}, "data.train"), ElementsAre());
}

TEST_F(InputFilesTest, AFolderIsNoPatternHoweverItIsCalled) {
  for (const char* name : {"runs[1]/x-1.csv", "runs[1]/x-2.csv", "runs1/x-3.csv",
                           "a*\\b?/deep/x-4.csv", "axbx/x-5.csv"})
    dir_.write(name, "");
  EXPECT_THAT(find_files(in("runs[1]/x-*.csv"), "data.train"),
              ElementsAre(in("runs[1]/x-1.csv"), in("runs[1]/x-2.csv")))
      << "and not those of runs1";
  EXPECT_THAT(find_files(in("a*\\b?/d*/x-*.csv"), "data.train"),
              ElementsAre(in("a*\\b?/deep/x-4.csv")));
  EXPECT_THAT(find_files(in("runs[1-3]/x-*.csv"), "data.train"), ElementsAre(in("runs1/x-3.csv")))
      << "of no folder that is called so it is one";
  EXPECT_FALSE(is_file_pattern(in("runs[1]/none.csv")));
  EXPECT_TRUE(is_file_pattern(in("runs[1]/x-*.csv")));
  const Config config = load_config(
      dir_.write("runs[1]/c.json", R"({"data": {"train": "x-*.csv"}})"), /*overrides=*/{});
  EXPECT_THAT(config.data.train.names, ElementsAre(in("runs[1]/x-*.csv"))) << "as it is read";
  EXPECT_EQ(find_files(config.data.train, "data.train").size(), 2u);
}

TEST_F(InputFilesTest, ALinkToAFileIsThatFile) {
  const std::string link = in("link-1.csv");
  std::filesystem::create_symlink("old.csv", link);
  EXPECT_THAT(find_files(link, "data.train"), ElementsAre(link));
  EXPECT_EQ(fault({std::vector{in("old.csv"), link}}),
            "data.train: " + link + " comes twice, by a link, for it is " + in("old.csv") +
                "; expected each file once (a pattern may match one that is named, too)");
  std::filesystem::create_directory_symlink(dir_.path(), in("folder"));
  EXPECT_THAT(fault({std::vector{in("old.csv"), in("folder/old.csv")}}), HasSubstr("comes twice"));
}

TEST_F(InputFilesTest, WhatMatchesNothingOrComesTwiceIsSaid) {
  EXPECT_EQ(fault(in("x-*.csv")),
            "data.train: " + in("x-*.csv") +
                " matches no file; expected a file, or a pattern with *, ? or [...] that matches "
                "some");
  EXPECT_EQ(fault({std::vector{in("news-*.csv"), in("./news-2.csv"), std::string()}}),
            "data.train: " + in("./news-2.csv") +
                " comes twice; expected each file once (a pattern may match one that is named, "
                "too)\ndata.train: one of the names is empty; expected a file or a pattern");
}

TEST_F(InputFilesTest, AConfigNamesOneOrSeveral) {
  const auto train = [](const std::string& json) {
    return parse_config(R"({"data": {"train": )" + json + "}}", "c.json").data.train.names;
  };
  EXPECT_THAT(train(R"("/a.csv")"), ElementsAre("/a.csv"));
  EXPECT_THAT(train(R"(["/a.csv", "/b, c.csv"])"), ElementsAre("/a.csv", "/b, c.csv"));
  EXPECT_THAT(train(R"("")"), ElementsAre());
  EXPECT_THAT(train("[]"), ElementsAre());
  EXPECT_THAT(config_error([&] { train("[3]"); }),
              HasSubstr("expected a path, a pattern of paths (*, ?, [...]) or a list of them"));
  EXPECT_THAT(default_config({{"data.train", R"(["/a.csv", "/b.csv"])"}}).data.train.names,
              ElementsAre("/a.csv", "/b.csv"));
  EXPECT_THAT(default_config({{"data.train", "/a,b.csv"}}).data.train.names,
              ElementsAre("/a,b.csv"))
      << "a comma may be part of a name";
}

TEST_F(InputFilesTest, AConfigThatIsWrittenIsReadAgain) {
  const auto again = [](const InputFiles& files) {
    Config config;
    config.data.train = files;
    return parse_config(config_json(config), "c.json").data.train;
  };
  for (const InputFiles& files : {InputFiles(), InputFiles("/a.csv"), InputFiles("/a-*.csv"),
                                  InputFiles(std::vector<std::string>{"/a.csv", "/${b}.csv"})})
    EXPECT_EQ(again(files), files) << files.text();
  EXPECT_THAT(config_json(default_config({{"data.train", "/a.csv"}})),
              HasSubstr(R"("train": "/a.csv")"));
}

TEST_F(InputFilesTest, AreNamedInMessages) {
  EXPECT_EQ(InputFiles("a.csv").text(), "a.csv");
  EXPECT_EQ(InputFiles(std::vector<std::string>{"a", "b"}).text(), "a, b");
  EXPECT_EQ(InputFiles(std::vector<std::string>{"a", "b", "c"}).text(), "a and 2 more");
  EXPECT_EQ(InputFiles().text(), "");
}

}  // namespace
}  // namespace diffuse::testing
