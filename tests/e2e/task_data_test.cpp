// `diffuse data listops` and `diffuse data pathfinder`.

#include <gmock/gmock.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "e2e/fixtures.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const std::vector<std::string> kShort = {"--min-length", "5",  "--max-length",      "30",
                                         "--max-depth",  "4",  "--train-rows",      "300",
                                         "--test-rows",  "60", "--validation-rows", "60"};

std::vector<std::string> listops(std::vector<std::string> more) {
  std::vector<std::string> arguments = {"data", "listops"};
  arguments.insert(arguments.end(), kShort.begin(), kShort.end());
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

std::vector<std::string> pathfinder(std::vector<std::string> more) {
  std::vector<std::string> arguments = {"data",        "pathfinder", "--train-rows",      "40",
                                        "--test-rows", "10",         "--validation-rows", "0"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

TEST(TaskData, EveryTaskHasHelpWithExamples) {
  const Outcome verb = run({"data", "--help"});
  EXPECT_EQ(verb.exit_code, 0) << verb;
  EXPECT_THAT(verb.out, AllOf(HasSubstr("listops"), HasSubstr("pathfinder"), HasSubstr("Examples:"),
                              HasSubstr("--quiet")));
  for (const std::string task : {"listops", "pathfinder"}) {
    const Outcome outcome = run({"data", task, "--help"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
    EXPECT_THAT(outcome.out,
                AllOf(HasSubstr("Examples:\n  diffuse data " + task), HasSubstr("--seed N=1"),
                      HasSubstr("--overwrite"), HasSubstr("--quiet")));
    EXPECT_THAT(outcome.err, IsEmpty());
  }
}

TEST(TaskData, MistakesInTheCommandAreNamed) {
  struct Case {
    std::vector<std::string> arguments;
    std::string message;
  };
  const std::vector<Case> cases = {
      {{"data"}, "data: no task is named; expected listops or pathfinder."},
      {{"data", "listop"}, "listop is not a task of diffuse data. Did you mean listops?"},
      {{"data", "listops"}, "--out is required\nTry: diffuse data listops --help"},
      {{"data", "listops", "--out", "x", "--sead", "3"},
       "--sead is not a flag of diffuse data listops. Did you mean --seed?"},
      {{"data", "pathfinder", "--out", "x", "--max-depth", "3"},
       "--max-depth is not a flag of diffuse data pathfinder."},
      {{"data", "listops", "--out", "x", "y"}, "y is not an argument of diffuse data listops."},
      {{"data", "listops", "--out", ""}, "--out '': expected the name of a folder."},
      {{"data", "listops", "--out", "x", "--seed", "-1"}, "--seed"},
      {{"data", "listops", "--out", "x", "--train-rows", "many"}, "--train-rows"},
      {{"data", "listops", "--out", "x", "--max-args", "1"}, "--max-args"},
      {{"data", "listops", "--out", "x", "--threads", "5000"}, "--threads"},
      {{"data", "listops", "--out", "x", "--notation", "word"},
       "word is not one of words, brackets, arena; did you mean words?"},
      {{"data", "pathfinder", "--out", "x", "--contour-length", "15"}, "--contour-length"},
      {{"data", "pathfinder", "--out", "x", "--min-contour-length", "0"}, "not in range 1 to 14"},
      {{"data", "pathfinder", "--out", "x", "--distractors", "21"}, "--distractors"},
      {{"data", "pathfinder", "--out", "x", "--contour-length", "6", "--min-contour-length", "9"},
       "--min-contour-length 9 is above --contour-length 6."},
      {{"data", "listops", "--out", "x", "--min-length", "50", "--max-length", "20"},
       "--min-length 50 is above --max-length 20."},
      {{"data", "listops", "--out", "x", "--max-depth", "3", "--max-args", "4"},
       "--min-length 501: with --max-depth 3 and --max-args 4 the longest expression has 26 "
       "tokens; expected a smaller length, more levels or more arguments."},
      {{"data", "listops", "--out", "x", "--min-length", "1", "--max-length", "1"},
       "there are too few different expressions of 1 to 1 tokens"},
      {{"data", "listops", "--out", "x", "--min-length", "2", "--max-length", "3"},
       "of a million expressions with at most 10 levels and 10 arguments none had 2 to 3 tokens"},
      {{"data", "pathfinder", "--out", "x", "--train-rows", "0", "--validation-rows", "0",
        "--test-rows", "0"},
       "are all 0: there is nothing to make."},
  };
  const Workspace workspace;
  const auto before = tree(workspace.path());
  for (const Case& c : cases) {
    const Outcome outcome = workspace.run(c.arguments);
    EXPECT_EQ(outcome.exit_code, 2) << c.message << outcome;
    EXPECT_THAT(outcome.out, IsEmpty()) << c.message;
    EXPECT_THAT(outcome.err, HasSubstr(c.message));
  }
  EXPECT_EQ(tree(workspace.path()), before);
}

TEST(TaskData, ListOpsTellsWhatItMadeAndSaysHowToMakeItAgain) {
  const Workspace workspace;
  const Outcome told = workspace.run(listops({"--out", "lo", "--seed", "7", "--threads", "1"}));
  ASSERT_EQ(told.exit_code, 0) << told;
  EXPECT_THAT(told.out, AllOf(HasSubstr("train.tsv"), HasSubstr("  300  "), HasSubstr("values  "),
                              HasSubstr("operators   MIN: "), HasSubstr("on 1 thread,"),
                              HasSubstr("--train lo/train.tsv --validation lo/validation.tsv "
                                        "--test lo/test.tsv --set tokenizer.max_tokens=30")));
  EXPECT_THAT(tree(workspace.path() / "lo"),
              ElementsAre("dataset.json", "test.tsv", "train.tsv", "validation.tsv"));
  EXPECT_EQ(lines_of(read_file(workspace.path() / "lo/train.tsv")).size(), 301U);
  const std::string dataset = read_file(workspace.path() / "lo/dataset.json");
  const auto json = nlohmann::json::parse(dataset);
  EXPECT_EQ(json.at("task"), "listops");
  EXPECT_EQ(json.at("seed"), 7);
  EXPECT_EQ(json.at("rules").at("max_length"), 30);
  EXPECT_EQ(json.at("files").at(0).at("name"), "train.tsv");
  EXPECT_EQ(json.at("files").at(0).at("rows"), 300);

  // The command of the file, on other threads, gives the same folder.
  std::vector<std::string> command;
  std::istringstream words(json.at("command").get<std::string>());
  for (std::string word; words >> word;) command.push_back(word == "DIR" ? "again" : word);
  command.erase(command.begin());
  command.insert(command.end(), {"--threads", "3", "--json"});
  const Outcome again = workspace.run(command);
  ASSERT_EQ(again.exit_code, 0) << again;
  for (const std::string& file : tree(workspace.path() / "lo"))
    EXPECT_EQ(read_file(workspace.path() / "again" / file),
              read_file(workspace.path() / "lo" / file));
  const auto made = nlohmann::json::parse(again.out);
  EXPECT_EQ(made.at("files"), json.at("files"));
  EXPECT_EQ(made.at("out"), "again");
  EXPECT_GE(made.at("time_s").get<double>(), 0);
}

TEST(TaskData, TrainReadsListOpsAsFifteenTokens) {
  const Workspace workspace;
  ASSERT_EQ(workspace.run(listops({"--out", "lo"})).exit_code, 0);
  const Outcome training = workspace.run(
      {"train", "--train", "lo/train.tsv", "--validation", "lo/validation.tsv", "--test",
       "lo/test.tsv", "--out", "run", "--set", "tokenizer.max_tokens=30", "--set", "ngrams.max=0",
       "--set", "model.dim=16", "--set", "train.length=20u", "--set", "train.warmup=2u"});
  ASSERT_EQ(training.exit_code, 0) << training;
  EXPECT_THAT(training.out, AllOf(HasSubstr("test accuracy"), HasSubstr("n = 60")));
  EXPECT_THAT(training.err, HasSubstr("vocabulary     18 "));  // and padding, unknown, hidden
  auto words = lines_of(read_file(workspace.path() / "run/checkpoints/best/vocab.txt"));
  std::sort(words.begin(), words.end());
  EXPECT_THAT(words, ElementsAre("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "[MASK]",
                                 "[PAD]", "[UNK]", "max", "med", "min", "sm", "x"));
}

TEST(TaskData, PathfinderWritesRowsOfALabelAndItsPixels) {
  const Workspace workspace;
  const Outcome told = workspace.run(pathfinder({"--out", "pf", "--threads", "2"}));
  ASSERT_EQ(told.exit_code, 0) << told;
  EXPECT_THAT(told.out, AllOf(HasSubstr("train.bin"), HasSubstr("connected"),
                              HasSubstr("on 2 threads"), Not(HasSubstr("validation.bin"))));
  EXPECT_THAT(tree(workspace.path() / "pf"),
              ElementsAre("dataset.json", "test.bin", "test.markers.tsv", "train.bin",
                          "train.markers.tsv"));
  EXPECT_EQ(std::filesystem::file_size(workspace.path() / "pf/train.bin"), 40U * 1025);
  EXPECT_EQ(lines_of(read_file(workspace.path() / "pf/train.markers.tsv")).size(), 41U);
  const Outcome json = workspace.run(pathfinder({"--out", "pf1", "--threads", "1", "--json"}));
  ASSERT_EQ(json.exit_code, 0) << json;
  EXPECT_EQ(nlohmann::json::parse(json.out).at("rules").at("distractors"), 5);
  for (const std::string& file : tree(workspace.path() / "pf"))
    EXPECT_EQ(read_file(workspace.path() / "pf1" / file),
              read_file(workspace.path() / "pf" / file));
}

TEST(TaskData, PathfinderOfSeveralLengthsIsMadeAgainByItsCommand) {
  const Workspace workspace;
  const Outcome mixed = workspace.run(pathfinder(
      {"--out", "mixed", "--min-contour-length", "1", "--contour-length", "3", "--json"}));
  ASSERT_EQ(mixed.exit_code, 0) << mixed;
  const auto json = nlohmann::json::parse(mixed.out);
  EXPECT_EQ(json.at("rules").at("contour_length"), nlohmann::json({1, 2, 3}));
  EXPECT_EQ(json.at("rules").at("distractors"), nlohmann::json({20, 20, 20}));
  EXPECT_THAT(json.at("command").get<std::string>(),
              HasSubstr(" --min-contour-length 1 --contour-length 3 --out DIR"));
  const Outcome again = workspace.run(pathfinder(
      {"--out", "again", "--min-contour-length", "1", "--contour-length", "3", "--threads", "1"}));
  ASSERT_EQ(again.exit_code, 0) << again;
  EXPECT_EQ(read_file(workspace.path() / "again/train.bin"),
            read_file(workspace.path() / "mixed/train.bin"));
}

TEST(TaskData, PathfinderWithoutDistractorsHasDarkerPictures) {
  const Workspace workspace;
  const auto figures = [&](const std::vector<std::string>& more) {
    const Outcome made = workspace.run(pathfinder(more));
    EXPECT_EQ(made.exit_code, 0) << made;
    return nlohmann::json::parse(made.out);
  };
  const auto arena = figures({"--out", "arena", "--json"});
  const auto pairs = figures({"--out", "pairs", "--json", "--distractors", "0"});
  EXPECT_EQ(pairs.at("rules").at("distractors"), 0);
  EXPECT_THAT(pairs.at("command").get<std::string>(), HasSubstr("--distractors 0"));
  const auto& file = pairs.at("files").at(0);
  EXPECT_EQ(file.at("mean_distractors"), 0);
  EXPECT_GT(arena.at("files").at(0).at("mean_distractors").get<double>(), 4);
  EXPECT_LT(file.at("mean_pixel").get<double>(),
            0.9 * arena.at("files").at(0).at("mean_pixel").get<double>());
}

TEST(TaskData, ReplacesOnlyWhatItHasMade) {
  const Workspace workspace;
  ASSERT_EQ(workspace.run(listops({"--out", "lo"})).exit_code, 0);
  const Outcome refused = workspace.run(pathfinder({"--out", "lo"}));
  EXPECT_EQ(refused.exit_code, 2) << refused;
  EXPECT_THAT(refused.err,
              HasSubstr("--out lo: the folder is not empty; name a new one, or replace "
                        "the data in it (--overwrite)."));
  const Outcome replaced = workspace.run(pathfinder({"--out", "lo", "--overwrite"}));
  EXPECT_EQ(replaced.exit_code, 0) << replaced;
  EXPECT_THAT(tree(workspace.path() / "lo"), Not(::testing::Contains("train.tsv")));
  workspace.write("lo/notes.txt", "mine");
  const Outcome kept = workspace.run(pathfinder({"--out", "lo", "--overwrite"}));
  EXPECT_EQ(kept.exit_code, 2) << kept;
  EXPECT_THAT(kept.err,
              HasSubstr("--out lo: --overwrite replaces data that this verb has made, but "
                        "notes.txt is not part of any; move it away"));
  // Files of the same names that somebody else has put there.
  workspace.write("own/train.tsv", "label\ttext\n");
  EXPECT_THAT(workspace.run(listops({"--out", "own", "--overwrite"})).err,
              HasSubstr("but train.tsv is not part of any"));
  workspace.write("file", "");
  EXPECT_THAT(workspace.run(listops({"--out", "file"})).err,
              HasSubstr("--out file: this is a file; expected the name of a folder."));
  std::filesystem::create_directory(workspace.path() / "empty");
  EXPECT_EQ(workspace.run(listops({"--out", "empty"})).exit_code, 0);
}

TEST(TaskData, AFullDiskLeavesNothing) {
  const Workspace workspace;
  const auto before = tree(workspace.path());
  Launch launch = workspace.launch(pathfinder({"--out", "pf"}));
  launch.file_size_bytes = 20'000;
  const Outcome outcome = run(launch);
  EXPECT_EQ(outcome.exit_code, 1) << outcome;
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("--out pf: "), HasSubstr("train.bin: cannot be written: "),
                    HasSubstr("Nothing is left of the files; make room, name another "
                              "folder, or ask for fewer rows.")));
  EXPECT_EQ(tree(workspace.path()), before);
  const Outcome nowhere = workspace.run(pathfinder({"--out", "/proc/pf"}));
  EXPECT_EQ(nowhere.exit_code, 1) << nowhere;
  EXPECT_THAT(nowhere.err, HasSubstr("/proc/pf"));
}

TEST(TaskData, ASignalLeavesNothing) {
  const Workspace workspace;
  const auto before = tree(workspace.path());
  Process process(workspace.launch({"data", "pathfinder", "--out", "pf"}));
  ASSERT_TRUE(process.wait_for_stderr("making 200,000 rows"));
  process.signal(SIGTERM);
  const Outcome outcome = process.wait();
  EXPECT_EQ(outcome.exit_code, 143) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("Stopped by SIGTERM"));
  EXPECT_EQ(tree(workspace.path()), before);
}

}  // namespace
}  // namespace diffuse::testing
