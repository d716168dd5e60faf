#include <gmock/gmock.h>

#include "e2e/fixtures.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// Trains by `config` and expects a refusal before any work.
Outcome refused(const Workspace& workspace, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "train");
  const std::vector<std::string> before = tree(workspace.path());
  Outcome outcome = workspace.run(std::move(arguments));
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_EQ(tree(workspace.path()), before) << outcome;
  return outcome;
}

TEST(BadConfig, EveryFaultIsReportedAtOnce) {
  Workspace workspace;
  workspace.write("bad.json", R"({
    "data": {"train": "train.csv", "max_rows": "ten"},
    "model": {"dimm": 32, "alpha": 1.5, "steps": 1, "dilation": [1, 2], "pooling": "men"},
    "trian": {}
  })");
  const Outcome outcome = refused(workspace, {"--config", "bad.json", "--set", "train.sed=1"});
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("bad.json: data.max_rows: \"ten\" is a text; expected"),
                    HasSubstr("bad.json: model.dimm: unknown key; did you mean"),
                    HasSubstr("bad.json: model.alpha: 1.5 is out of range; expected"),
                    HasSubstr("bad.json: model.dilation: 2 entries for model.steps = 1"),
                    HasSubstr("bad.json: model.pooling: \"men\" is unknown; expected"),
                    HasSubstr("did you mean \"mean\"?"), HasSubstr("bad.json: trian: unknown key"),
                    HasSubstr("did you mean \"train\"?"),
                    HasSubstr("--set train.sed: unknown key; did you mean")));
}

TEST(BadConfig, FilesFolderAndFormatJoinTheFaultsOfTheConfig) {
  Workspace workspace;
  workspace.write("taken/file", "x");
  workspace.write("bad.json", R"({"data": {"train": "gone.csv", "label_bas": 1}})");
  const Outcome outcome = refused(workspace, {"--config", "bad.json", "--threads", "lots", "--set",
                                              "nonsense", "--test", "away.csv", "--out", "taken"});
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("data.label_bas: unknown key"), HasSubstr("--threads: train.threads"),
                    HasSubstr("--set nonsense: expected key=value"),
                    HasSubstr("gone.csv cannot be read"), HasSubstr("away.csv cannot be read"),
                    HasSubstr("--out taken: the folder is not empty")));
}

TEST(BadConfig, WhatDataFilesAloneTellIsFoundBeforeAnyIsRead) {
  Workspace workspace;
  workspace.write("more.texts", "sport,goal\n");
  workspace.write("vocab.txt", "no vocabulary\n");
  const Outcome outcome = refused(workspace, {"--config", "small.json", "--test", "more.texts",
                                              "--set", "tokenizer.vocab=vocab.txt", "--set",
                                              "tokenizer.type=wordpiece", "--out", "test.csv/run"});
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("more.texts: the name does not tell the format"),
                                 HasSubstr("vocab.txt: there is no token [UNK]"),
                                 HasSubstr("test.csv is a file; expected a folder"),
                                 Not(HasSubstr("data.train:"))));
  const Outcome check =
      workspace.run({"config", "--check", "small.json", "--set", "tokenizer.vocab=vocab.txt",
                     "--set", "tokenizer.type=wordpiece"});
  EXPECT_EQ(check.exit_code, 2) << check;
  EXPECT_THAT(check.err, HasSubstr("vocab.txt: there is no token [UNK]"));
}

TEST(BadConfig, EachFlagNamesItself) {
  Workspace workspace;
  const Outcome outcome = refused(
      workspace, {"--config", "small.json", "--threads", "lots", "--set", "model.dim=wide"});
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("--threads: train.threads: \"lots\" is a text"),
                                 HasSubstr("--set model.dim: \"wide\" is a text")));
}

TEST(BadConfig, AFlagAndSetOfTheSameParameter) {
  const Workspace workspace;
  const Outcome outcome =
      refused(workspace, {"--config", "small.json", "--threads", "2", "--set", "train.threads=1",
                          "--train", "test.csv", "--set", "data.train=train.csv"});
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("--train and --set data.train say the same; give one"),
                    HasSubstr("--threads and --set train.threads say the same; give one")));
}

TEST(BadConfig, SetWithoutAValue) {
  Workspace workspace;
  const Outcome outcome =
      refused(workspace, {"--config", "small.json", "--set", "model.dim", "--set", "=4"});
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("--set model.dim: expected key=value"),
                                 HasSubstr("--set =4: expected key=value")));
}

TEST(BadConfig, NotJson) {
  Workspace workspace;
  workspace.write("bad.json", "{\"model\": {\"dim\": 16,, }}");
  EXPECT_THAT(refused(workspace, {"--config", "bad.json"}).err, HasSubstr("bad.json:1:"));
}

TEST(BadConfig, NoSuchConfig) {
  Workspace workspace;
  EXPECT_THAT(refused(workspace, {"--config", "r9.json"}).err,
              AllOf(HasSubstr("r9.json: there is no such config file; looked in"),
                    HasSubstr("did you mean \"r8.json\"?")));
}

TEST(BadConfig, MissingFilesAndATakenFolderAtOnce) {
  Workspace workspace;
  workspace.write("taken/file", "x");
  const Outcome outcome =
      refused(workspace, {"--train", "gone.csv", "--test", "away.csv", "--out", "taken"});
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("data.train"), HasSubstr("gone.csv cannot be read: No such file"),
                    HasSubstr("data.test"), HasSubstr("away.csv cannot be read: No such file"),
                    HasSubstr("--out taken: the folder is not empty")));
}

TEST(BadConfig, AMissingPublicDataSetNamesTheCommandThatFetchesIt) {
  Workspace workspace;
  workspace.write("c.json", R"({"data": {"train": "trec/train.csv"}})");
  EXPECT_THAT(refused(workspace, {"--config", "c.json"}).err,
              HasSubstr("scripts/get_data.sh trec"));
}

TEST(BadConfig, NothingToTrainOn) {
  Workspace workspace;
  EXPECT_THAT(refused(workspace, {}).err, HasSubstr("give --config FILE, or --train FILE"));
}

TEST(BadConfig, OutIsAFile) {
  Workspace workspace;
  EXPECT_THAT(refused(workspace, {"--config", "small.json", "--out", "test.csv"}).err,
              HasSubstr("--out test.csv: this is a file; expected a new or empty folder"));
}

TEST(BadConfig, OutWhereNothingCanBeMade) {
  const Workspace workspace;
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{}, std::vector<std::string>{"--dry-run"}}) {
    std::vector<std::string> arguments = {"--config", "small.json", "--out", "/proc/run"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = refused(workspace, arguments);
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("--out /proc/run: the folder /proc cannot be written"),
                                   Not(HasSubstr("168 rows"))));
  }
}

TEST(BadConfig, WordPieceWithoutAVocabulary) {
  Workspace workspace;
  EXPECT_THAT(
      refused(workspace, {"--train", "train.csv", "--set", "tokenizer.type=wordpiece"}).err,
      HasSubstr("tokenizer.vocab: empty, but tokenizer.type = wordpiece needs a vocabulary"));
}

TEST(BadConfig, UnknownDevice) {
  Workspace workspace;
  EXPECT_THAT(refused(workspace, {"--config", "small.json", "--device", "tpu"}).err,
              AllOf(HasSubstr("--device: train.device"), HasSubstr("tpu"),
                    Not(HasSubstr("cuda or cuda:i"))))
      << "told once";
}

}  // namespace
}  // namespace diffuse::testing
