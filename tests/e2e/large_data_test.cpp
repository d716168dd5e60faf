// Data of several files, and data of which an epoch is a part.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "e2e/fixtures.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

namespace fs = std::filesystem;

std::vector<std::string> with(std::vector<std::string> arguments,
                              const std::vector<std::string>& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

nlohmann::json state_of(const fs::path& run) {
  return nlohmann::json::parse(read_file(run / "checkpoints/last/state.json"));
}

/// train.csv of the workspace as two files, part-0.csv and part-1.csv.
void cut_in_two(const Workspace& workspace) {
  const std::string all = read_file(workspace.path() / "train.csv");
  const std::size_t cut = all.find('\n', all.size() / 2) + 1;
  workspace.write("part-0.csv", all.substr(0, cut));
  workspace.write("part-1.csv", all.substr(cut));
}

TEST(SeveralTrainingFiles, TrainTheModelOfOneWhoseRowsTheyAre) {
  const Workspace workspace;
  cut_in_two(workspace);
  const std::vector<std::string> train = {"train", "--config", "small.json", "--set",
                                          "train.length=20u"};
  ASSERT_EQ(workspace.run(with(train, {"--out", "one"})).exit_code, 0);
  const std::vector<std::vector<std::string>> ways = {
      {"--train", "part-0.csv", "part-1.csv", "--out", "args"},
      {"--train", "part-?.csv", "--out", "pattern"},
      {"--set", R"(data.train=["part-0.csv", "part-1.csv"])", "--out", "list"}};
  for (const auto& way : ways) {
    const Outcome outcome = workspace.run(with(train, way));
    ASSERT_EQ(outcome.exit_code, 0) << outcome;
    EXPECT_TRUE(read_file(workspace.path() / "one/checkpoints/last/model.safetensors") ==
                read_file(workspace.path() / way.back() / "checkpoints/last/model.safetensors"))
        << way.back();
  }
  const Outcome resumed =
      workspace.run({"train", "--resume", "pattern", "--set", "train.length=40u"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed;
  workspace.write("part-2.csv", "sport,match goal\n");
  const Outcome other =
      workspace.run({"train", "--resume", "pattern", "--set", "train.length=60u"});
  EXPECT_NE(other.exit_code, 0) << "a pattern that now matches more is other data";
  EXPECT_THAT(other.err, HasSubstr("data.train"));
}

TEST(SeveralTrainingFiles, WithoutAConfigAreFoundOutAboutTogether) {
  const Workspace workspace;
  cut_in_two(workspace);
  const Outcome outcome =
      workspace.run({"train", "--train", "part-*.csv", "--dry-run", "--set", "data.cache=false"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome;
  const Outcome whole =
      workspace.run({"train", "--train", "train.csv", "--dry-run", "--set", "data.cache=false"});
  EXPECT_EQ(lines_of(outcome.out).front(), lines_of(whole.out).front());
  const Outcome trained = workspace.run(
      {"train", "--train", "part-*.csv", "--set", "train.length=2u", "--set", "data.cache=false"});
  ASSERT_EQ(trained.exit_code, 0) << trained;
  EXPECT_TRUE(fs::exists(workspace.path() / "runs/part/config.json")) << "no star in its name";
}

TEST(SeveralTrainingFiles, WhatIsWrongWithTheirNamesIsSaidAtOnce) {
  const Workspace workspace;
  const Outcome outcome = workspace.run({"train", "--config", "small.json", "--train", "x-*.csv",
                                         "train.csv", "./train.csv", "--set", "model.dim=-1"});
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("data.train: "), HasSubstr("--set model.dim: ")));
  const Outcome files = workspace.run({"train", "--config", "small.json", "--train", "x-*.csv",
                                       "train.csv", "./train.csv", "gone.csv"});
  EXPECT_EQ(files.exit_code, 2) << files;
  EXPECT_THAT(files.err, AllOf(HasSubstr("x-*.csv matches no file; expected a file, or a pattern"),
                               HasSubstr("train.csv comes twice; expected each file once"),
                               HasSubstr("gone.csv cannot be read: No such file or directory")));
}

TEST(SeveralTrainingFiles, ABadRowIsSaidWithItsFile) {
  const Workspace workspace;
  cut_in_two(workspace);
  workspace.write("part-2.csv", "sport,match\nsport\n");
  const Outcome outcome =
      workspace.run({"train", "--config", "small.json", "--train", "part-*.csv", "--dry-run"});
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("part-2.csv:2: "));
}

TEST(EpochRows, ShortEpochsGoOnAndResumeToTheBit) {
  const Workspace workspace;
  const std::vector<std::string> settings = {"train",
                                             "--config",
                                             "small.json",
                                             "--set",
                                             "data.epoch_rows=40",
                                             "--set",
                                             "train.batch_size=8",
                                             "--set",
                                             "train.log_every=1"};
  const Outcome dry = workspace.run(with(settings, {"--dry-run", "--set", "train.length=3e"}));
  EXPECT_THAT(dry.out, HasSubstr("15, 5 an epoch of 40 rows, "));
  ASSERT_EQ(
      workspace.run(with(settings, {"--set", "train.length=12e", "--out", "whole"})).exit_code, 0);
  EXPECT_EQ(state_of(workspace.path() / "whole").at("update"), 60);
  const Outcome first = workspace.stopped_at(
      {"update 23 "}, with(settings, {"--set", "train.length=12e", "--out", "parts"}));
  ASSERT_EQ(first.exit_code, 143) << first;
  const Outcome last = workspace.run({"train", "--resume", "parts"});
  ASSERT_EQ(last.exit_code, 0) << last;
  for (const char* file : {"model.safetensors", "optimizer.safetensors"})
    EXPECT_TRUE(read_file(workspace.path() / "whole/checkpoints/last" / file) ==
                read_file(workspace.path() / "parts/checkpoints/last" / file))
        << file;
}

TEST(StdinTraining, TrainsTheModelOfTheFile) {
  const Workspace workspace;
  const std::string rows = read_file(workspace.path() / "train.csv");
  const std::vector<std::string> train = {"train", "--config", "small.json", "--set",
                                          "train.length=20u"};
  ASSERT_EQ(workspace.run(with(train, {"--out", "file"})).exit_code, 0);
  const std::vector<std::string> piped =
      with(train, {"--train", "-", "--set", "data.format=csv", "--out", "piped"});
  const Outcome outcome = workspace.run(piped, rows);
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  for (const char* file : {"model.safetensors", "vocab.txt"})
    EXPECT_TRUE(read_file(workspace.path() / "file/checkpoints/last" / file) ==
                read_file(workspace.path() / "piped/checkpoints/last" / file))
        << file;
  const auto hash_in = [&](const char* run) {
    return nlohmann::json::parse(read_file(workspace.path() / run / "manifest.json"))
        .at("data_xxh3_128")
        .at("data.train");
  };
  EXPECT_EQ(hash_in("piped"), hash_in("file"));
  const std::vector<std::string> resume = {"train", "--resume", "piped", "--set",
                                           "train.length=40u"};
  EXPECT_EQ(workspace.run(resume, rows).exit_code, 0);
  const Outcome other = workspace.run({"train", "--resume", "piped", "--set", "train.length=60u"},
                                      rows + "sport,match goal\n");
  EXPECT_NE(other.exit_code, 0) << "other rows are other data";
}

TEST(StdinTraining, WhatCannotBeIsSaid) {
  const Workspace workspace;
  const auto error_of = [&](const std::vector<std::string>& more, const std::string& rows = "") {
    const Outcome outcome =
        workspace.run(with({"train", "--config", "small.json", "--dry-run"}, more), rows);
    EXPECT_NE(outcome.exit_code, 0) << outcome;
    return outcome.err;
  };
  EXPECT_THAT(error_of({"--train", "-"}),
              HasSubstr("stdin has no name that tells the format; set it to csv, tsv, jsonl"));
  EXPECT_THAT(error_of({"--train", "-", "train.csv", "--set", "data.format=csv"}),
              HasSubstr("- is stdin, which cannot stand beside files; expected - alone"));
  EXPECT_THAT(error_of({"--train", "-", "--set", "data.format=csv", "--set",
                        "data.test=", "--test-fraction", "0.2"}),
              HasSubstr("splits test rows off, for which data.train is read twice"));
  EXPECT_THAT(error_of({"--train", "-", "--set", "data.format=csv"}, "sport,match\nsport\n"),
              HasSubstr("stdin:2: "));
  EXPECT_THAT(error_of({"--train", "-", "--set", "data.format=csv"}),
              HasSubstr("stdin: the file is empty"));
  // Before a row is read.
  EXPECT_THAT(error_of({"--train", "-", "--set", "data.format=csv", "--baseline", "distilbert"},
                       easy_csv(60)),
              AllOf(HasSubstr("--baseline is measured by a process of its own"),
                    Not(HasSubstr("data.train: "))));
  const Outcome baseline =
      workspace.run({"train", "--config", "small.json", "--train", "-", "--baseline", "distilbert",
                     "--set", "data.format=csv", "--out", "baseline"},
                    easy_csv(60));
  EXPECT_EQ(baseline.exit_code, 2) << baseline;
  EXPECT_THAT(baseline.err, AllOf(HasSubstr("data.train is stdin, which can be read once"),
                                  Not(HasSubstr("measuring DistilBERT"))));
  const Outcome folds =
      workspace.run({"train", "--config", "small.json", "--train", "-", "--folds", "3", "--set",
                     "data.format=csv", "--set", "data.test=", "--out", "folds"});
  EXPECT_NE(folds.exit_code, 0) << folds;
  EXPECT_THAT(folds.err, HasSubstr("data.train is stdin, which can be read once"));
  const Outcome grid = workspace.run({"grid", "--config", "small.json", "--train", "-", "--seeds",
                                      "2", "--set", "data.format=csv", "--out", "grid"});
  EXPECT_NE(grid.exit_code, 0) << grid;
  EXPECT_THAT(grid.err, HasSubstr("data.train is stdin, which can be read once"));
}

TEST(WordLimits, AreToldAndKept) {
  const Workspace workspace;
  const Outcome outcome = workspace.run(
      {"train", "--config", "small.json", "--dry-run", "--set", "tokenizer.max_words=5", "--json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_EQ(nlohmann::json::parse(outcome.out).at("vocabulary"), 8);
  const Outcome other = workspace.run({"train", "--config", "small.json", "--dry-run", "--set",
                                       "tokenizer.type=bytes", "--set", "tokenizer.max_words=5"});
  EXPECT_THAT(other.err, HasSubstr("tokenizer.max_words: has no effect"));
  const Outcome few = workspace.run(
      {"train", "--config", "small.json", "--dry-run", "--set", "tokenizer.counted_words=10"});
  EXPECT_EQ(few.exit_code, 2) << few;
  EXPECT_THAT(few.err, HasSubstr("expected a whole number from 1000 to 1000000000"));
}

TEST(NgramLimits, CountingIsBoundedAndTold) {
  const Workspace workspace;
  std::string rows = read_file(workspace.path() / "train.csv");
  for (int i = 0; i < 1500; ++i) rows += "sport,match goal rare" + std::to_string(i) + "\n";
  workspace.write("rare.csv", rows);
  const std::vector<std::string> train = {"train",        "--config", "small.json", "--set",
                                          "ngrams.max=1", "--json",   "--set",      "model.dim=0"};
  const Outcome all = workspace.run(with(train, {"--train", "rare.csv", "--out", "all"}));
  ASSERT_EQ(all.exit_code, 0) << all;
  EXPECT_THAT(all.err, Not(HasSubstr("n-gram's count")));
  const Outcome some = workspace.run(
      with(train, {"--train", "rare.csv", "--set", "ngrams.counted=1000", "--out", "some"}));
  ASSERT_EQ(some.exit_code, 0) << some;
  EXPECT_THAT(some.err,
              HasSubstr("data.train: it has more than 1,000 different n-grams; the rarer half was "
                        "forgotten 1 time on the way, so an n-gram's count may be too low, by 1 at "
                        "most (ngrams.counted)"));
  const auto accuracy_of = [](const Outcome& outcome) {
    return nlohmann::json::parse(outcome.out).at("test").at("accuracy").get<double>();
  };
  EXPECT_GT(accuracy_of(some), 0.95);
  const auto bytes_of = [&](const char* run) {
    return fs::file_size(workspace.path() / run / "checkpoints/last/ngrams.safetensors");
  };
  EXPECT_LT(bytes_of("some") + 1500 * 12, bytes_of("all")) << "the rare ones are not there";
}

TEST(NgramLimits, RowsAreDrawnAndToldAndTheRehearsalAsksAll) {
  const Workspace workspace;
  const std::vector<std::string> train = {
      "train", "--config",     "small.json", "--json",
      "--set", "ngrams.max=2", "--set",      "ngrams.max_rows=60"};
  const std::string told =
      "n-grams: they are trained on 60 of 210 rows, drawn evenly "
      "(ngrams.max_rows)";
  const std::vector<std::string> rehearsed = {"--set", "data.validation_fraction=0"};
  const Outcome outcome = workspace.run(with(with(train, rehearsed), {"--out", "drawn"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr(told));
  const nlohmann::json summary = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(summary.at("rehearsal").at("count"), 210);
  EXPECT_GT(summary.at("rehearsal").at("accuracy").get<double>(), 0.9);
  EXPECT_GT(summary.at("test").at("branches").at("ngram_accuracy").get<double>(), 0.9);
  const Outcome threads =
      workspace.run(with(with(train, rehearsed), {"--out", "threads", "--threads", "3"}));
  ASSERT_EQ(threads.exit_code, 0) << threads;
  EXPECT_TRUE(read_file(workspace.path() / "drawn/checkpoints/last/ngrams.safetensors") ==
              read_file(workspace.path() / "threads/checkpoints/last/ngrams.safetensors"));
  const Outcome none = workspace.run(
      {"train", "--config", "small.json", "--dry-run", "--set", "ngrams.max_rows=-1"});
  EXPECT_EQ(none.exit_code, 2) << none;
  EXPECT_THAT(none.err, HasSubstr("ngrams.max_rows: "));
}

}  // namespace
}  // namespace diffuse::testing
