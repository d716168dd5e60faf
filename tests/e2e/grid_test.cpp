// Grids: their runs, their figures, going on, and the test in the end.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "e2e/fixtures.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::vector<std::string> small_grid(const std::string& out, std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {"grid", "--config", "small.json", "--out", out};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

/// A workspace with the grid `g` of two combinations and two seeds, and what it printed. Made once;
/// the test file that its config names is none.
struct GridWorkspace {
  Workspace workspace;
  Outcome grid;
  GridWorkspace() {
    workspace.write("test.csv", "not read");
    workspace.write("grid.json", R"({"model": {"dim": [2, 16]} /* both */})");
    grid = workspace.run(small_grid("g", {"--grid", "grid.json", "--seeds", "2", "--json"}));
  }
};
const GridWorkspace& finished() {
  static const GridWorkspace made;
  return made;
}

std::vector<Json> json_lines(const fs::path& file) {
  std::vector<Json> lines;
  for (const std::string& line : lines_of(read_file(file))) lines.push_back(Json::parse(line));
  return lines;
}

/// The row numbers and gold labels of a file of answers.
std::vector<std::string> rows_of(const fs::path& file) {
  std::vector<std::string> rows;
  for (const std::string& line : lines_of(read_file(file)))
    rows.push_back(line.substr(0, line.find('\t', line.find('\t') + 1)));
  return rows;
}

TEST(Grid, HasALineForEachRun) {
  const auto& [workspace, grid] = finished();
  ASSERT_EQ(grid.exit_code, 0) << grid;
  const std::vector<Json> runs = json_lines(workspace.path() / "g/results.jsonl");
  ASSERT_EQ(runs.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(runs[i].at("combination"), i / 2 + 1);
    EXPECT_EQ(runs[i].at("seed"), i % 2 + 1);
    EXPECT_EQ(runs[i].at("values"), Json({{"model.dim", i < 2 ? 2 : 16}}));
    EXPECT_EQ(runs[i].at("rows"), 42);
    const fs::path folder = workspace.path() / "g" / runs[i].at("folder").get<std::string>();
    const Json config = Json::parse(read_file(folder / "config.json"));
    EXPECT_EQ(config.at("train").at("seed"), i % 2 + 1);
    EXPECT_EQ(config.at("model").at("dim"), i < 2 ? 2 : 16);
    // The accuracy is that of the answers.
    int right = 0;
    const std::vector<std::string> lines = lines_of(read_file(folder / "validation.tsv"));
    ASSERT_EQ(lines.size(), 43U);
    for (std::size_t row = 1; row < lines.size(); ++row) {
      const std::size_t gold = lines[row].find('\t') + 1;
      const std::size_t predicted = lines[row].find('\t', gold) + 1;
      right += lines[row].compare(predicted, predicted - gold,
                                  lines[row].substr(gold, predicted - gold)) == 0;
    }
    EXPECT_NEAR(runs[i].at("accuracy").get<double>(), right / 42.0, 1e-9);
    EXPECT_GT(runs[i].at("memory_bytes"), 1'000'000);
  }
  const std::vector<std::string> table = lines_of(read_file(workspace.path() / "g/results.csv"));
  ASSERT_EQ(table.size(), 5U);
  EXPECT_EQ(table[0],
            "combination,seed,model.dim,accuracy,macro_f1,loss,rows,updates,best_update,"
            "training_time_s,memory_bytes,failure");
  EXPECT_THAT(table[3], StartsWith("2,1,16,"));
}

TEST(Grid, ComparesCombinationsOnTheSameRows) {
  const auto& [workspace, grid] = finished();
  ASSERT_EQ(grid.exit_code, 0) << grid;
  const fs::path runs = workspace.path() / "g/runs";
  EXPECT_EQ(rows_of(runs / "001-seed1/validation.tsv"), rows_of(runs / "002-seed1/validation.tsv"));
  EXPECT_EQ(rows_of(runs / "001-seed2/validation.tsv"), rows_of(runs / "002-seed2/validation.tsv"));
  EXPECT_NE(rows_of(runs / "001-seed1/validation.tsv"), rows_of(runs / "001-seed2/validation.tsv"));

  const Json json = Json::parse(grid.out);
  EXPECT_EQ(json.at("validation_rows"), 42);
  EXPECT_EQ(json.at("seeds"), 2);
  EXPECT_EQ(json.at("best"), Json({{"combination", 2}, {"values", {{"model.dim", 16}}}}));
  EXPECT_TRUE(json.at("test").is_null());
  const Json& best = json.at("combinations").at(0);
  const Json& other = json.at("combinations").at(1);
  EXPECT_EQ(best.at("verdict"), "best");
  EXPECT_EQ(other.at("combination"), 1);
  const std::vector<Json> results = json_lines(workspace.path() / "g/results.jsonl");
  const auto accuracy = [&](std::size_t run) { return results[run].at("accuracy").get<double>(); };
  EXPECT_NEAR(best.at("accuracy").at("mean").get<double>(), (accuracy(2) + accuracy(3)) / 2, 1e-9);
  EXPECT_NEAR(other.at("against_best").at("difference").get<double>(),
              (accuracy(2) + accuracy(3) - accuracy(0) - accuracy(1)) / 2, 1e-9);
  EXPECT_EQ(Json::parse(read_file(workspace.path() / "g/summary.json")), json);
  EXPECT_THAT(read_file(workspace.path() / "g/grid.html"),
              AllOf(HasSubstr("model.dim = 16"), HasSubstr("</html>")));
}

// Cut after three tokens all texts of a class are equal, and equal texts stay on one side.
TEST(Grid, HowTextsAreReadDoesNotChooseTheRows) {
  const Workspace workspace;
  std::string rows;
  for (int i = 1; i <= 20; ++i) {
    const std::string number = std::to_string(i) + "\n";
    rows.append("x,some words here ").append(number);
    rows.append("y,other things there ").append(number);
  }
  workspace.write("alike.csv", rows);
  const Outcome outcome = workspace.run(small_grid(
      "g", {"--train", "alike.csv", "--set", "data.test=", "--set", "data.validation_fraction=0.3",
            "--vary", "tokenizer.max_tokens=256,3", "--seeds", "2", "--json"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_EQ(Json::parse(outcome.out).at("validation_rows"), 12);
  const fs::path runs = workspace.path() / "g/runs";
  for (const char* seed : {"1", "2"}) {
    const std::string file = std::string("-seed") + seed + "/validation.tsv";
    EXPECT_EQ(rows_of(runs / ("001" + file)).size(), 13U);
    EXPECT_EQ(rows_of(runs / ("001" + file)), rows_of(runs / ("002" + file)));
  }
  const Outcome tested = workspace.run(
      small_grid("t", {"--train", "alike.csv", "--set", "data.test=", "--set",
                       "data.validation_fraction=0.3", "--set", "data.test_fraction=0.2", "--vary",
                       "tokenizer.max_tokens=256,3", "--test", "--json"}));
  ASSERT_EQ(tested.exit_code, 0) << tested;
  const Json json = Json::parse(tested.out);
  EXPECT_EQ(json.at("test").at("rows"), 8);
  EXPECT_EQ(json.at("validation_rows"), 10) << "of the 32 others";
  EXPECT_EQ(rows_of(workspace.path() / "t/runs/001-seed1/validation.tsv"),
            rows_of(workspace.path() / "t/runs/002-seed1/validation.tsv"));
}

TEST(Grid, RowsThatNotEveryCombinationCanUseDoNotValidate) {
  const Workspace workspace;
  std::string rows = "label,title,body\n";
  for (int i = 1; i <= 40; ++i) {
    rows += i % 2 == 0 ? "weather," : "money,";
    if (i % 5 != 0) rows.append("title ").append(std::to_string(i));
    rows.append(i % 2 == 0 ? ",rain and storm " : ",bank and shares ");
    rows.append(std::to_string(i)).append("\n");
  }
  workspace.write("titles.csv", rows);
  const Outcome outcome = workspace.run(small_grid(
      "g", {"--train", "titles.csv", "--set", "data.test=", "--set", "data.label_column=label",
            "--set", "data.text_columns=title,body", "--set", "data.on_error=skip", "--vary",
            R"(data.text_columns=[["title", "body"], ["title"]])"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const auto validated = rows_of(workspace.path() / "g/runs/001-seed1/validation.tsv");
  EXPECT_EQ(validated, rows_of(workspace.path() / "g/runs/002-seed1/validation.tsv"));
  ASSERT_GT(validated.size(), 4U);
  for (std::size_t i = 1; i < validated.size(); ++i)
    EXPECT_NE(std::stoi(validated[i]) % 5, 0) << validated[i];
}

TEST(Grid, KeepsTheModelsOfTheBestAndItsConfig) {
  const auto& [workspace, grid] = finished();
  ASSERT_EQ(grid.exit_code, 0) << grid;
  EXPECT_FALSE(fs::exists(workspace.path() / "g/runs/001-seed1/checkpoints"));
  EXPECT_FALSE(fs::exists(workspace.path() / "g/runs/001-seed2/checkpoints"));
  EXPECT_TRUE(fs::exists(workspace.path() / "g/runs/002-seed2/checkpoints/best"));
  const Outcome predicted = workspace.run(
      {"predict", "--checkpoint", "g/runs/002-seed1", "--threads", "1"}, "the match, the match\n");
  EXPECT_THAT(predicted.out, HasSubstr("sport")) << predicted;
  const Json best = Json::parse(read_file(workspace.path() / "g/best.json"));
  EXPECT_EQ(best.at("model").at("dim"), 16);
  EXPECT_EQ(best.at("train").at("seed"), 1);
}

TEST(Grid, TheTableSaysWhatIsToldApart) {
  const Workspace workspace;
  const Outcome outcome = workspace.run(small_grid(
      "g", {"--vary", "model.dim=2,16", "--vary", "train.length=2u,6e", "--keep-checkpoints"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.out,
              AllOf(StartsWith("#  model.dim  train.length  seeds"), HasSubstr("to the best"),
                    HasSubstr("\nbest  "), HasSubstr("validation rows  42 with each seed"),
                    HasSubstr("Less accurate than the best (corrected p below 0.05): "),
                    HasSubstr("Holm's rule for all 6 pairs of combinations\n"),
                    HasSubstr("table and plot  g/grid.html\n"),
                    HasSubstr("diffuse train --config g/best.json"),
                    HasSubstr("diffuse grid --resume g --seeds 5")));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("4 runs: 4 combinations, 1 seed each, compared on 42 "),
                                 HasSubstr("Run 3 of 4: model.dim = 16, train.length = 2u, seed 1"),
                                 HasSubstr("1 run left, about ")));
  // Once in the terminal, of each run in the log.
  const auto tables = [](const std::string& text) {
    std::size_t count = 0;
    for (std::size_t at = 0; (at = text.find("run directory", at)) != std::string::npos; ++at)
      ++count;
    return count;
  };
  EXPECT_EQ(tables(outcome.err), 1U);
  EXPECT_EQ(tables(read_file(workspace.path() / "g/train.log")), 4U);
  for (const char* run : {"001", "002", "003", "004"})
    EXPECT_TRUE(
        fs::exists(workspace.path() / "g/runs" / (std::string(run) + "-seed1/checkpoints")));
}

TEST(Grid, AStoppedGridGoesOnWhereItWas) {
  const Workspace workspace;
  const std::vector<std::string> settings = {
      "--vary", "model.dim=8,16",  "--seeds", "2", "--json", "--set", "train.log_every=1",
      "--set",  "train.length=60u"};
  const Outcome whole = workspace.run(small_grid("whole", settings));
  ASSERT_EQ(whole.exit_code, 0) << whole;
  const Outcome stopped =
      workspace.stopped_at({"Run 2 of 4", "update 7  grad"}, small_grid("parts", settings));
  EXPECT_THAT(stopped.err, HasSubstr("finished runs stay as they are. Go on with:\n  diffuse "
                                     "grid --resume parts"));
  EXPECT_THAT(stopped.out, IsEmpty());
  EXPECT_EQ(json_lines(workspace.path() / "parts/results.jsonl").size(), 1U);
  const Outcome rest = workspace.run({"grid", "--resume", "parts", "--json"});
  ASSERT_EQ(rest.exit_code, 0) << rest;
  EXPECT_THAT(rest.err, AllOf(HasSubstr("; 1 done before"), HasSubstr("Run 2 of 4"),
                              Not(HasSubstr("Run 1 of 4"))));
  for (const char* run : {"001-seed1", "001-seed2", "002-seed1", "002-seed2"}) {
    const std::string file = std::string("runs/") + run + "/validation.tsv";
    EXPECT_EQ(read_file(workspace.path() / "parts" / file),
              read_file(workspace.path() / "whole" / file));
  }
  Json parts = Json::parse(rest.out);
  Json all = Json::parse(whole.out);
  for (std::size_t i = 0; i < 2; ++i)
    for (const char* key : {"values", "accuracy", "loss", "against_best", "verdict"})
      EXPECT_EQ(parts.at("combinations").at(i).at(key), all.at("combinations").at(i).at(key));
}

// What a run chooses by its data is no part of the grid's config, by which others begin.
TEST(Grid, EachRunChoosesTheRateOfItsWords) {
  const Workspace workspace;
  const auto rate = [&](const std::string& folder) {
    return Json::parse(read_file(workspace.path() / folder / "config.json"))
        .at("train")
        .at("embedding_lr_factor")
        .get<double>();
  };
  workspace.stopped_at({"Run 1 of 2", "update 7  grad"},
                       small_grid("g", {"--vary", "model.dim=8,16", "--set", "train.pretrain=4u",
                                        "--set", "pretrain.batch_size=16", "--set",
                                        "train.length=60u", "--set", "train.log_every=1"}));
  EXPECT_EQ(rate("g"), -1);
  EXPECT_EQ(rate("g/runs/001-seed1"), 1);
  const Outcome rest = workspace.run({"grid", "--resume", "g"});
  ASSERT_EQ(rest.exit_code, 0) << rest;
  EXPECT_EQ(rate("g"), -1);
  EXPECT_EQ(rate("g/runs/001-seed1"), 1) << "as it began";
  EXPECT_EQ(rate("g/runs/002-seed1"), 1);
}

TEST(Grid, TakesMoreSeedsLater) {
  const Workspace workspace;
  ASSERT_EQ(workspace.run(small_grid("g", {"--vary", "model.dim=4,16"})).exit_code, 0);
  const Outcome more = workspace.run({"grid", "--resume", "g", "--seeds", "3", "--json"});
  ASSERT_EQ(more.exit_code, 0) << more;
  EXPECT_EQ(json_lines(workspace.path() / "g/results.jsonl").size(), 6U);
  EXPECT_EQ(Json::parse(more.out).at("combinations").at(0).at("seeds"), 3);
  // Not told again, they stay.
  const Outcome again = workspace.run({"grid", "--resume", "g", "--json"});
  EXPECT_EQ(again.out, more.out) << again;
  EXPECT_THAT(again.err, Not(HasSubstr("Run ")));
  const Outcome fewer = workspace.run({"grid", "--resume", "g", "--seeds", "2"});
  EXPECT_EQ(fewer.exit_code, 2) << fewer;
  EXPECT_THAT(fewer.err, HasSubstr("--seeds 2: the grid has 3 seeds; expected at least as many."));
}

TEST(Grid, TheBestAloneAnswersTheTestRows) {
  const Workspace workspace;
  const Outcome first =
      workspace.run(small_grid("g", {"--vary", "model.dim=2,16", "--seeds", "2", "--json"}));
  ASSERT_EQ(first.exit_code, 0) << first;
  EXPECT_TRUE(Json::parse(first.out).at("test").is_null());
  EXPECT_FALSE(fs::exists(workspace.path() / "g/test.json"));
  // A model that is not there any more is trained again, and is the same.
  fs::remove_all(workspace.path() / "g/runs/002-seed2/checkpoints");
  const Outcome tested = workspace.run({"grid", "--resume", "g", "--test", "--json"});
  ASSERT_EQ(tested.exit_code, 0) << tested;
  EXPECT_THAT(tested.err, HasSubstr("The model of combination 2, seed 2 was not kept"));
  const Json json = Json::parse(tested.out);
  const Json& test = json.at("test");
  EXPECT_EQ(test.at("combination"), 2);
  EXPECT_EQ(test.at("rows"), 60);
  EXPECT_EQ(json.at("combinations").at(0).at("accuracy"),
            Json::parse(first.out).at("combinations").at(0).at("accuracy"));
  for (const std::size_t seed : {1U, 2U}) {
    const Outcome eval =
        workspace.run({"eval", "--checkpoint", "g/runs/002-seed" + std::to_string(seed), "--data",
                       "test.csv", "--threads", "1", "--json"});
    EXPECT_EQ(Json::parse(eval.out).at("accuracy"), test.at("accuracies").at(seed - 1)) << eval;
  }
  // Once: what is written down is told again.
  workspace.write("test.csv", "sport,match\n");
  const Outcome again = workspace.run({"grid", "--resume", "g", "--test"});
  ASSERT_EQ(again.exit_code, 0) << again;
  EXPECT_THAT(again.out, AllOf(HasSubstr("test accuracy  "), HasSubstr("  n = 60  macro-F1 "),
                               HasSubstr("(combination 2, 2 seeds, each model by itself)")));
  workspace.write("test.csv", easy_csv(30, 1000));
  const Outcome more = workspace.run({"grid", "--resume", "g", "--seeds", "3", "--test"});
  ASSERT_EQ(more.exit_code, 0) << more;
  EXPECT_THAT(more.err, HasSubstr("test.json is of combination 2 with 2 seeds; the test rows are "
                                  "read once more"));
  EXPECT_THAT(more.out, HasSubstr("  n = 30  macro-F1 "));
}

TEST(Grid, ATestPartIsTheSameForAllSeeds) {
  const Workspace workspace;
  const Outcome outcome =
      workspace.run(small_grid("g", {"--vary", "model.dim=4,16", "--seeds", "2", "--test", "--json",
                                     "--set", "data.test=", "--set", "data.test_fraction=0.5"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const Json json = Json::parse(outcome.out);
  // The rows, and with the first seed the model, are those of `train`.
  const std::string dim = json.at("best").at("values").at("model.dim").dump();
  const Outcome one =
      workspace.run({"train", "--config", "small.json", "--set", "data.test=", "--test-fraction",
                     "0.5", "--set", "model.dim=" + dim});
  ASSERT_EQ(one.exit_code, 0) << one;
  const Json alone = Json::parse(read_file(workspace.path() / "runs/small/test.json"));
  EXPECT_EQ(json.at("test").at("rows"), alone.at("count"));
  EXPECT_EQ(json.at("test").at("accuracies").at(0), alone.at("accuracy"));
  // Both seeds set the same number of the others aside.
  for (const Json& run : json_lines(workspace.path() / "g/results.jsonl"))
    EXPECT_EQ(run.at("rows"), json.at("validation_rows"));
}

TEST(Grid, ARunThatDivergesIsALineWithoutFigures) {
  const Workspace workspace;
  const Outcome outcome = workspace.run(small_grid(
      "g", {"--vary", "train.learning_rate=0.001,10", "--set", "model.norm=none", "--set",
            "model.steps=8", "--set", "model.share_weights=true", "--set", "train.clip_norm=0"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("0, 1 failed"), HasSubstr("\nbest  1: "),
                                 HasSubstr("Without figures for all seeds, and not compared: 2"),
                                 HasSubstr("2, seed 1 failed: ")));
  const std::vector<Json> runs = json_lines(workspace.path() / "g/results.jsonl");
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_THAT(runs[1].at("failure").get<std::string>(), Not(IsEmpty()));
  const Outcome again = workspace.run({"grid", "--resume", "g"});
  EXPECT_EQ(again.exit_code, 0) << again;
  EXPECT_THAT(again.err, Not(HasSubstr("Run ")));
}

}  // namespace
}  // namespace diffuse::testing
