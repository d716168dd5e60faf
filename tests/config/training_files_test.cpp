#include <gmock/gmock.h>
#include <sys/stat.h>

#include "config/support.hpp"
#include "config/training_files.hpp"
#include "diffuse/base/text_util.hpp"

namespace diffuse::testing {
namespace {

/// What is wrong with the files of `config`, a line each.
std::string check_error(const Config& config) {
  Faults faults;
  find_file_faults(config, faults);
  return join(faults.lines(), "\n");
}

TEST(TrainingFiles, ThatExistAreFine) {
  const TempDir dir;
  Config config;
  config.data.train = dir.write("a.csv", "");
  config.data.test = dir.write("b.csv", "");
  EXPECT_EQ(check_error(config), "");
  config.tokenizer.vocab = dir.path() / "none";  // not read by the words tokenizer
  EXPECT_EQ(check_error(config), "");
}

TEST(TrainingFiles, TrainMustBeSet) {
  EXPECT_EQ(check_error({}),
            "data.train: is not set; expected the file to train on (in the config, or --train "
            "FILE)");
}

TEST(TrainingFiles, AllFaultsComeAtOnce) {
  const TempDir dir;
  const std::string none = dir.path() / "none";
  Config config;
  config.data.train = dir.path();
  config.data.validation = none;
  config.data.test = none;
  config.data.labels = none;
  config.tokenizer.type = TokenizerType::wordpiece;
  config.tokenizer.vocab = none;
  const std::string missing = ": " + none + " cannot be read: No such file or directory";
  EXPECT_EQ(check_error(config), "data.train: " + dir.path().string() +
                                     " is a folder; expected a file\ndata.validation" + missing +
                                     "; --set data.validation= goes without it\ndata.test" +
                                     missing + "; --set data.test= goes without it\ndata.labels" +
                                     missing +
                                     "; --set data.labels= takes the classes from data.train"
                                     "\ntokenizer.vocab" +
                                     missing + "; --set tokenizer.type=words needs none");
  config = {};
  config.data.train = none;
  EXPECT_EQ(check_error(config), "data.train" + missing + "; --train FILE names another");
}

TEST(TrainingFiles, APipeIsNoFile) {
  const TempDir dir;
  const std::string pipe = (dir.path() / "pipe.csv").string();
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(config_error([&] {
              default_config({{"data.train", pipe}}, FileChecks::training);
            }),
            "data.train: " + pipe +
                " is a pipe or a device; expected a file, or - for rows that come once, through "
                "stdin");
  Config config;
  config.data.train = dir.write("a.csv", "");
  config.data.test = pipe;
  EXPECT_EQ(check_error(config), "data.test: " + pipe + " is a pipe or a device; expected a file");
}

TEST(TrainingFiles, OfAKnownDataSetNameTheCommandThatFetchesThem) {
  const TempDir dir;
  const auto expect = [&](const std::string& name, const std::string& folder,
                          const std::string& file) {
    Config config;
    config.data.train = dir.path() / folder / file;
    EXPECT_EQ(check_error(config),
              "data.train: " + config.data.train.first() +
                  " cannot be read: No such file or directory; scripts/get_data.sh " + name + " " +
                  (dir.path() / folder).string() +
                  " fetches it, or set DIFFUSE_DATA to the folder that holds " + folder);
  };
  for (const std::string name : {"ag_news", "imdb", "trec"}) expect(name, name, "train.csv");
  expect("image", "lra", "image_train.bin.gz");
  Config made;
  made.data.train = dir.path() / "pathfinder-4a" / "train.bin";
  EXPECT_EQ(check_error(made), "data.train: " + made.data.train.first() +
                                   " cannot be read: No such file or directory; `diffuse data "
                                   "pathfinder` makes such files (docs/long-range-arena.md)");
  Config other;
  other.data.train = dir.path() / "lra" / "listops.tsv";
  EXPECT_THAT(check_error(other), ::testing::HasSubstr("; --train FILE names another"));
}

}  // namespace
}  // namespace diffuse::testing
