#include <filesystem>

#include "config/support.hpp"

namespace diffuse::testing {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFolderVariable = "DIFFUSE_TEST_FOLDER";

class Paths : public ::testing::Test {
 protected:
  /// data.train of conf/c.json in a fresh folder.
  std::string train(const std::string& path, const Overrides& overrides = {}) {
    const fs::path file = dir_.write("conf/c.json", R"({"data": {"train": ")" + path + "\"}}");
    return load_config(file, overrides).data.train.first();
  }
  std::string in_folder(const std::string& rest) { return (dir_.path() / rest).string(); }
  static std::string in_working_directory(const std::string& rest) {
    return (fs::current_path() / rest).string();
  }

  TempDir dir_;
};

TEST_F(Paths, OfTheFileAreRelativeToIt) {
  EXPECT_EQ(train("a.csv"), in_folder("conf/a.csv"));
  EXPECT_EQ(train("../data/./a.csv"), in_folder("data/a.csv"));
  EXPECT_EQ(train("/abs/a.csv"), "/abs/a.csv");
  EXPECT_EQ(train(""), "");
}

TEST_F(Paths, OfTheCommandLineAreRelativeToTheWorkingDirectory) {
  EXPECT_EQ(train("a.csv", {{"data.train", "b.csv"}}), in_working_directory("b.csv"));
  EXPECT_EQ(default_config({{"tokenizer.vocab", "v/../w"}}).tokenizer.vocab,
            in_working_directory("w"));
}

TEST_F(Paths, ThatBeginWithTheEnvironmentAreRelativeToTheWorkingDirectory) {
  const ScopedVariable relative(kFolderVariable, "d");
  EXPECT_EQ(train("${DIFFUSE_TEST_FOLDER:-../data}/a"), in_working_directory("d/a"));
  EXPECT_EQ(train("x/${DIFFUSE_TEST_FOLDER}/a"), in_folder("conf/x/d/a"));
  const ScopedVariable absolute(kFolderVariable, "/d");
  EXPECT_EQ(train("${DIFFUSE_TEST_FOLDER:-../data}/a"), "/d/a");
}

TEST_F(Paths, ThatBeginWithADefaultAreRelativeToTheFile) {
  const ScopedVariable unset(kFolderVariable, nullptr);
  EXPECT_EQ(train("${DIFFUSE_TEST_FOLDER:-../data}/a"), in_folder("data/a"));
  const ScopedVariable empty(kFolderVariable, "");
  EXPECT_EQ(train("${DIFFUSE_TEST_FOLDER}a"), in_folder("conf/a"));
}

TEST_F(Paths, TildeIsTheHomeFolder) {
  const ScopedVariable home("HOME", "/home/me");
  EXPECT_EQ(train("~/a"), "/home/me/a");
  EXPECT_EQ(train("b", {{"data.train", "~/a"}}), "/home/me/a");
  EXPECT_EQ(train("~a"), in_folder("conf/~a"));
  const ScopedVariable none("HOME", nullptr);
  EXPECT_EQ(override_error("data.train", "~/a"),
            "command line: data.train: \"~/a\": \"~\" needs the environment variable HOME, which "
            "is not set");
}

TEST_F(Paths, BelowAFolderWhoseNameIsNoTextAreRefused) {
  const fs::path file = dir_.write("\xff/c.json", R"({"data": {"train": "a"}})");
  EXPECT_NE(config_error([&] {
              load_config(file, {});
            }).find("data.train: \"a\": the name of a folder above it is not valid UTF-8"),
            std::string::npos);
}

TEST_F(Paths, EveryPathKeyIsMadeAbsolute) {
  const fs::path file = dir_.write("c.json", R"({
    "data": {"train": "1", "validation": "2", "test": "3", "labels": "4", "cache_dir": "5"},
    "tokenizer": {"vocab": "6", "type": "wordpiece"}})");
  const Config config = load_config(file, {});
  EXPECT_EQ(config.data.train, in_folder("1"));
  EXPECT_EQ(config.data.validation, in_folder("2"));
  EXPECT_EQ(config.data.test, in_folder("3"));
  EXPECT_EQ(config.data.labels, in_folder("4"));
  EXPECT_EQ(config.data.cache_dir, in_folder("5"));
  EXPECT_EQ(config.tokenizer.vocab, in_folder("6"));
}

}  // namespace
}  // namespace diffuse::testing
