#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "e2e/fixtures.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

namespace fs = std::filesystem;

TEST(EvalVerb, FirstLineIsTheAccuracyWithItsInterval) {
  const Workspace& workspace = trained_workspace().workspace;
  const Outcome outcome = workspace.run({"eval", "--checkpoint", "runs/small"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const std::vector<std::string> lines = lines_of(outcome.out);
  EXPECT_THAT(lines.at(0), MatchesRegex("accuracy  [0-9]+\\.[0-9][0-9] %  "
                                        "\\[[0-9.]+, [0-9.]+\\]  n = 60"));
  EXPECT_EQ("test " + lines.at(0), lines_of(trained_workspace().training.out).at(0));
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("macro-F1"), HasSubstr("precision"),
                                 HasSubstr("weather"), HasSubstr("money"), HasSubstr("sport")));
}

TEST(EvalVerb, AsJson) {
  const Workspace& workspace = trained_workspace().workspace;
  const Outcome outcome = workspace.run({"eval", "--checkpoint", "runs/small", "--json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["count"], 60);
  EXPECT_GE(json["accuracy"].get<double>(), 0.9);
  EXPECT_EQ(json["classes"].size(), 3U);
}

TEST(EvalVerb, WritesPredictions) {
  const Workspace& workspace = trained_workspace().workspace;
  workspace.write("five.csv", easy_csv(5));
  const Outcome outcome = workspace.run(
      {"eval", "--checkpoint", "runs/small", "--data", "five.csv", "--output", "predictions.tsv"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.out, HasSubstr("n = 5\n"));
  std::ostringstream text;
  text << std::ifstream(workspace.path() / "predictions.tsv").rdbuf();
  const std::vector<std::string> lines = lines_of(text.str());
  ASSERT_EQ(lines.size(), 6U);
  EXPECT_EQ(lines[0], "row\tgold\tpredicted\tprobability");
  EXPECT_THAT(lines[1], MatchesRegex("1\tsport\t[a-z]+\t[01]\\.[0-9]+"));
  EXPECT_THAT(lines[5], MatchesRegex("5\tmoney\t[a-z]+\t[01]\\.[0-9]+"));
}

TEST(EvalVerb, AnOutputReplacesNothingThatIsRead) {
  const Workspace& workspace = trained_workspace().workspace;
  const std::string rows = easy_csv(5);
  workspace.write("mine.csv", rows);
  fs::create_symlink("mine.csv", workspace.path() / "linked.csv");
  const auto refused = [&](const std::string& output, const std::string& why) {
    const Outcome outcome = workspace.run(
        {"eval", "--checkpoint", "runs/small", "--data", "mine.csv", "--output", output});
    EXPECT_EQ(outcome.exit_code, 2) << outcome;
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("--output " + output), HasSubstr(why),
                                   HasSubstr("name another file")));
  };
  refused("mine.csv", "the file that is measured on, which would be overwritten");
  refused("linked.csv", "the file that is measured on");
  refused("train.csv", "the model's training file");
  const std::string config = read_file(workspace.path() / "runs/small/config.json");
  refused("runs/small/config.json", "a file of the model (runs/small), which would be damaged");
  refused("runs/small/checkpoints/best/labels.txt", "a file of the model");
  refused("runs/small/autotune.json", "a file of the model");
  EXPECT_EQ(read_file(workspace.path() / "mine.csv"), rows);
  EXPECT_EQ(read_file(workspace.path() / "runs/small/config.json"), config);
  // Beside them there is room.
  const Outcome beside = workspace.run({"eval", "--checkpoint", "runs/small", "--data", "mine.csv",
                                        "--output", "runs/small/predictions.tsv"});
  EXPECT_EQ(beside.exit_code, 0) << beside;
  fs::remove(workspace.path() / "runs/small/predictions.tsv");
  const Outcome bench =
      workspace.run({"bench", "--checkpoint", "runs/small", "--output", "runs/small/config.json"});
  EXPECT_EQ(bench.exit_code, 2) << bench;
  EXPECT_THAT(bench.err, HasSubstr("a file of the model of --checkpoint"));
}

TEST(EvalVerb, APatternStandsForTheRowsOfAllItsFiles) {
  const Workspace& workspace = trained_workspace().workspace;
  const std::string first = easy_csv(30, 1000);
  workspace.write("part-1.csv", first);
  workspace.write("part-2.csv", easy_csv(30, 1030));
  const auto eval = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments = {"eval", "--checkpoint", "runs/small", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return workspace.run(std::move(arguments));
  };
  const Outcome parts = eval({"--data", "part-*.csv"});
  ASSERT_EQ(parts.exit_code, 0) << parts;
  EXPECT_THAT(parts.err, HasSubstr("part-1.csv and 1 more: 60 rows"));
  const auto json = nlohmann::json::parse(parts.out);
  EXPECT_EQ(json["count"], 60);
  EXPECT_EQ(json["mean_loss"], nlohmann::json::parse(eval({}).out)["mean_loss"]);
  // None of them is overwritten.
  const Outcome over = eval({"--data", "part-*.csv", "--output", "part-1.csv"});
  EXPECT_EQ(over.exit_code, 2) << over;
  EXPECT_THAT(over.err, HasSubstr("--output part-1.csv: this is the file that is measured on"));
  EXPECT_EQ(read_file(workspace.path() / "part-1.csv"), first);
}

TEST(EvalVerb, AgainstAnotherModelsPredictionsByMcNemar) {
  Workspace workspace;
  ASSERT_EQ(workspace.run({"train", "--config", "small.json", "--out", "good"}).exit_code, 0);
  ASSERT_EQ(workspace
                .run({"train", "--config", "small.json", "--out", "poor", "--set",
                      "train.length=1u", "--set", "train.warmup=0u"})
                .exit_code,
            0);
  ASSERT_EQ(workspace.run({"eval", "--checkpoint", "poor", "--output", "poor.tsv"}).exit_code, 0);
  const Outcome text = workspace.run({"eval", "--checkpoint", "good", "--against", "poor.tsv"});
  ASSERT_EQ(text.exit_code, 0) << text;
  EXPECT_THAT(lines_of(text.out).back(),
              MatchesRegex("against poor.tsv  [0-9.]+ % there, [0-9.]+ % here .\\+[0-9.]+ "
                           "points.  only here right [0-9]+, only there [0-9]+  McNemar p = .*"));
  const Outcome outcome =
      workspace.run({"eval", "--checkpoint", "good", "--against", "poor.tsv", "--json"});
  const auto json = nlohmann::json::parse(outcome.out);
  const auto& against = json["against"];
  EXPECT_EQ(against["both_right"].get<int>() + against["only_this_right"].get<int>() +
                against["only_other_right"].get<int>() + against["both_wrong"].get<int>(),
            60);
  EXPECT_LT(against["accuracy"], json["accuracy"]);
  EXPECT_LT(against["mcnemar_p_value"], 0.01);
  const Outcome wrong = workspace.run(
      {"eval", "--checkpoint", "good", "--data", "train.csv", "--against", "poor.tsv"});
  EXPECT_EQ(wrong.exit_code, 2) << wrong;
  EXPECT_THAT(wrong.err, HasSubstr("poor.tsv"));
}

TEST(EvalVerb, AgainstStdinButNoNamedPipe) {
  const Workspace& workspace = trained_workspace().workspace;
  ASSERT_EQ(workspace.run({"eval", "--checkpoint", "runs/small", "--output", "own.tsv"}).exit_code,
            0);
  const Outcome same =
      workspace.run({"eval", "--checkpoint", "runs/small", "--against", "/dev/stdin"},
                    read_file(workspace.path() / "own.tsv"));
  EXPECT_EQ(same.exit_code, 0) << same;
  EXPECT_THAT(same.out, HasSubstr("McNemar p = 1\n"));
  ASSERT_EQ(::mkfifo((workspace.path() / "pipe").c_str(), 0600), 0);
  const Outcome pipe = workspace.run({"eval", "--checkpoint", "runs/small", "--against", "pipe"});
  EXPECT_EQ(pipe.exit_code, 2) << pipe;
  EXPECT_THAT(pipe.err, HasSubstr("pipe: cannot be read: it is a named pipe; expected a file"));
  const Outcome config = workspace.run({"config", "--show", "pipe"});
  EXPECT_EQ(config.exit_code, 2) << config;
  EXPECT_THAT(config.err, HasSubstr("pipe: cannot be read: it is a named pipe"));
}

TEST(EvalVerb, ANameThatIsNotUtf8IsToldInJson) {
  const Workspace& workspace = trained_workspace().workspace;
  const std::string name = "\xE4lter.tsv";  // Latin-1
  ASSERT_EQ(workspace.run({"eval", "--checkpoint", "runs/small", "--output", name}).exit_code, 0);
  const Outcome outcome =
      workspace.run({"eval", "--checkpoint", "runs/small", "--against", name, "--json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_EQ(nlohmann::json::parse(outcome.out)["against"]["name"], "\xEF\xBF\xBDlter.tsv");
}

TEST(EvalVerb, RowsOfPredictionsAreThoseOfTheFile) {
  Workspace workspace;
  ASSERT_EQ(workspace
                .run({"train", "--config", "small.json", "--set", "train.length=3u", "--set",
                      "data.on_error=skip"})
                .exit_code,
            0);
  workspace.write("gaps.csv", "unknown,a text\n" + easy_csv(2) + "sport,\n" + easy_csv(1));
  const Outcome outcome = workspace.run(
      {"eval", "--checkpoint", "runs/small", "--data", "gaps.csv", "--output", "predictions.tsv"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  std::vector<std::string> rows;
  for (const std::string& line : lines_of(read_file(workspace.path() / "predictions.tsv")))
    rows.push_back(line.substr(0, line.find('\t')));
  // The row of an unknown class counts, as wrong.
  EXPECT_THAT(rows, ::testing::ElementsAre("row", "1", "2", "3", "5"));
}

TEST(EvalVerb, BatchSizeAndThreadsDoNotChangeTheFigures) {
  const Workspace& workspace = trained_workspace().workspace;
  const auto accuracy = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments = {"eval", "--checkpoint", "runs/small", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = workspace.run(arguments);
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
    return nlohmann::json::parse(outcome.out)["confusion"];
  };
  EXPECT_EQ(accuracy({"--batch-size", "1"}), accuracy({"--batch-size", "64", "--threads", "2"}));
}

TEST(EvalVerb, ACheckpointNeedsNothingButItself) {
  Workspace workspace;
  ASSERT_EQ(workspace
                .run({"train", "--config", "small.json", "--set", "train.length=3u", "--set",
                      "train.warmup=1u"})
                .exit_code,
            0);
  const TempDir elsewhere;
  const fs::path best = fs::canonical(workspace.path() / "runs/small/checkpoints/best");
  fs::copy(best, elsewhere.path() / "copy", fs::copy_options::recursive);
  elsewhere.write("more.csv", easy_csv(9));
  for (const auto& entry : fs::directory_iterator(workspace.path())) fs::remove_all(entry.path());
  Launch launch = workspace.launch({"eval", "--checkpoint", "copy", "--data", "more.csv"});
  launch.directory = elsewhere.path();
  const Outcome eval = run(launch);
  EXPECT_EQ(eval.exit_code, 0) << eval;
  EXPECT_THAT(eval.out, HasSubstr("n = 9\n"));
  launch.arguments = {"predict", "--checkpoint", "copy"};
  launch.input = "the match\n";
  const Outcome predict = run(launch);
  EXPECT_EQ(predict.exit_code, 0) << predict;
  // Its config still names the test file, which is gone.
  launch.arguments = {"eval", "--checkpoint", "copy"};
  const Outcome gone = run(launch);
  EXPECT_EQ(gone.exit_code, 2) << gone;
  EXPECT_THAT(gone.err, HasSubstr("test.csv"));
}

TEST(EvalVerb, AWordPieceCheckpointBringsItsVocabulary) {
  const Workspace workspace;
  workspace.write("vocab.txt",
                  "[PAD]\n[UNK]\n[MASK]\nthe\nmatch\nbank\nrain\nteam\nstorm\n##s\nshare\n");
  const Outcome training =
      workspace.run({"train", "--config", "small.json", "--out", "run", "--set",
                     "tokenizer.type=wordpiece", "--set", "tokenizer.vocab=vocab.txt", "--set",
                     "train.length=5u", "--set", "train.warmup=1u"});
  ASSERT_EQ(training.exit_code, 0) << training;
  const std::vector<std::string> eval = {"eval", "--checkpoint", "run", "--data", "test.csv"};
  const Outcome before = workspace.run(eval);
  ASSERT_EQ(before.exit_code, 0) << before;
  fs::remove(workspace.path() / "vocab.txt");
  const Outcome after = workspace.run(eval);
  EXPECT_EQ(after.exit_code, 0) << after;
  EXPECT_EQ(lines_of(after.out).at(0), lines_of(before.out).at(0));
  // Without its own copy there is nothing to fall back on.
  fs::remove(fs::canonical(workspace.path() / "run/checkpoints/best") / "vocab.txt");
  const Outcome gone = workspace.run(eval);
  EXPECT_EQ(gone.exit_code, 2) << gone;
  EXPECT_THAT(gone.err, HasSubstr("vocab.txt"));
}

TEST(EvalVerb, MissingAndBadDataFiles) {
  const Workspace& workspace = trained_workspace().workspace;
  workspace.write("odd.csv", "sport,the match\nsport,\n");
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"gone.csv", "gone.csv"},
      {"odd.csv",
       "odd.csv:2: empty text; expected at least one character that is not blank "
       "(--on-error skip leaves bad rows out)"}};
  for (const auto& [file, message] : cases) {
    const Outcome outcome = workspace.run({"eval", "--checkpoint", "runs/small", "--data", file});
    EXPECT_EQ(outcome.exit_code, 2) << outcome;
    EXPECT_THAT(outcome.out, IsEmpty());
    EXPECT_THAT(outcome.err, HasSubstr(message));
  }
}

TEST(EvalVerb, LeavesBadRowsOutWhereToldTo) {
  const Workspace& workspace = trained_workspace().workspace;
  workspace.write("odd.csv", "sport,the match\nsport,\n");
  const Outcome outcome = workspace.run(
      {"eval", "--checkpoint", "runs/small", "--data", "odd.csv", "--on-error", "skip"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(lines_of(outcome.out).at(0), HasSubstr("n = 1"));
  EXPECT_THAT(outcome.err, HasSubstr("1 bad row left out"));
}

TEST(EvalVerb, ARowOfAClassThatTheModelLacksIsWrong) {
  const Workspace& workspace = trained_workspace().workspace;
  workspace.write("other.csv", "sport,the match a goal\ncricket,a bat\n");
  const Outcome outcome = workspace.run(
      {"eval", "--checkpoint", "runs/small", "--data", "other.csv", "--output", "other.tsv"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.out, AllOf(StartsWith("accuracy  50.00 %"), HasSubstr("n = 2"),
                                 HasSubstr("no class  1 of these rows")));
  EXPECT_THAT(outcome.err, HasSubstr("other.csv: 1 of 2 rows (50 %) have a label that the model "
                                     "lacks and count as wrong: \"cricket\" 1"));
  EXPECT_THAT(read_file(workspace.path() / "other.tsv"), HasSubstr("\n2\t#unknown\t"));
  const Outcome json = workspace.run({"eval", "--checkpoint", "runs/small", "--data", "other.csv",
                                      "--against", "other.tsv", "--json"});
  ASSERT_EQ(json.exit_code, 0) << json;
  EXPECT_EQ(nlohmann::json::parse(json.out)["unknown_class"], 1);
  workspace.write("none.csv", "tennis,a match\ncricket,a bat\n");
  const Outcome none = workspace.run({"eval", "--checkpoint", "runs/small", "--data", "none.csv"});
  EXPECT_EQ(none.exit_code, 2) << none;
  EXPECT_THAT(none.err, AllOf(HasSubstr("none.csv:1: unknown label \"tennis\""),
                              HasSubstr("no row has a label that the model knows")));
}

TEST(EvalColumns, AreThoseOfTheTraining) {
  Workspace workspace;
  workspace.write("named.csv", "label,text\n" + easy_csv(60));
  ASSERT_EQ(workspace
                .run({"train", "--train", "named.csv", "--out", "run", "--device", "cpu", "--set",
                      "train.length=3u", "--set", "train.warmup=1u", "--set",
                      "ngrams.max=0"})  // with n-grams no file is cached
                .exit_code,
            0);
  const auto eval = [&](const std::string& content, std::vector<std::string> more = {}) {
    workspace.write("more.csv", content);
    std::vector<std::string> arguments = {"eval", "--checkpoint", "run", "--data", "more.csv"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return workspace.run(arguments);
  };
  for (const char* how : {"(read)", "(cached)"}) {
    const Outcome other = eval("comment,text,id,label\nrain,the match,1,sport\n");
    EXPECT_EQ(other.exit_code, 0) << other;
    EXPECT_THAT(other.err, AllOf(HasSubstr(how), HasSubstr("label is column 4 (\"label\"), text is "
                                                           "column 2 (\"text\")")));
  }
  const Outcome no_label = eval("id,text\n1,the match\n");
  EXPECT_EQ(no_label.exit_code, 2) << no_label;
  EXPECT_THAT(no_label.err, HasSubstr("there is no column \"label\", which the model was trained "
                                      "with"));
  const std::string renamed = "stars,text\nsport,the match\n";
  EXPECT_EQ(eval(renamed).exit_code, 2);
  EXPECT_EQ(eval(renamed, {"--set", "data.label_column=stars"}).exit_code, 0);
  EXPECT_EQ(
      eval("sport;the match\n", {"--set", "data.separator=;", "--set", "data.header=no", "--set",
                                 "data.label_column=1", "--set", "data.text_columns=2"})
          .exit_code,
      0);
  const Outcome wrong = eval(renamed, {"--set", "data.header=maybe"});
  EXPECT_EQ(wrong.exit_code, 2) << wrong;
  EXPECT_THAT(wrong.err, HasSubstr("--set data.header"));
}

TEST(EvalVerb, ADamagedCheckpointIsNamed) {
  Workspace workspace;
  const fs::path source =
      fs::canonical(trained_workspace().workspace.path() / "runs/small/checkpoints/best");
  fs::copy(source, workspace.path() / "broken", fs::copy_options::recursive);
  fs::resize_file(workspace.path() / "broken/model.safetensors", 100);
  const Outcome outcome = workspace.run({"eval", "--checkpoint", "broken", "--data", "test.csv"});
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_THAT(outcome.err, HasSubstr("model.safetensors"));
}

TEST(EvalVerb, QuietWritesNothingToStderr) {
  const Workspace& workspace = trained_workspace().workspace;
  const Outcome outcome = workspace.run({"--quiet", "eval", "--checkpoint", "runs/small"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.err, IsEmpty());
  EXPECT_THAT(outcome.out, StartsWith("accuracy  "));
}

TEST(EvalVerb, GivesTrainingsOwnTestFiguresWithNoiseToo) {
  Workspace workspace;
  ASSERT_EQ(workspace
                .run({"train", "--config", "small.json", "--out", "noisy", "--set", "train.seed=7",
                      "--set", "model.noise_std=1", "--set", "model.noise_at_evaluation=true"})
                .exit_code,
            0);
  const auto trained = nlohmann::json::parse(read_file(workspace.path() / "noisy/test.json"));
  const Outcome outcome = workspace.run({"eval", "--checkpoint", "noisy", "--json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const auto evaluated = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(evaluated["mean_loss"], trained["mean_loss"]);
  EXPECT_EQ(evaluated["confusion"], trained["confusion"]);
}

TEST(EvalVerb, AnOutputThatCannotBeIsFoundBeforeTheWork) {
  const Workspace& workspace = trained_workspace().workspace;
  for (const auto& [output, message] : std::vector<std::pair<std::string, std::string>>{
           {"runs", "runs: this is a folder; expected the name of a file to write"},
           {"gone/p.tsv", "gone/p.tsv: there is no folder"}}) {
    const Outcome outcome =
        workspace.run({"eval", "--checkpoint", "runs/small", "--output", output});
    EXPECT_EQ(outcome.exit_code, 2) << outcome;
    EXPECT_THAT(outcome.out, IsEmpty());
    EXPECT_THAT(outcome.err, HasSubstr(message));
  }
}

}  // namespace
}  // namespace diffuse::testing
