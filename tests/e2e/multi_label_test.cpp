// Any number of labels a text, through all verbs.

#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "e2e/fixtures.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* kWords[3][4] = {{"match", "goal", "team", "coach"},
                                      {"bank", "shares", "profit", "market"},
                                      {"rain", "storm", "sunny", "cloud"}};
constexpr const char* kNames[3] = {"sport", "money", "weather"};

/// The topics of row `i`: none, one or two.
std::vector<int> topics_of(int i) {
  std::vector<int> topics;
  for (int t = 0; t < 3; ++t)
    if ((i * 7 + t * 5) % 11 < 4 && topics.size() < 2) topics.push_back(t);
  return topics;
}

std::string text_of(int i) {
  std::string text = "number n" + std::to_string(i % 17) + " x" + std::to_string(i % 19);
  for (const int t : topics_of(i))
    text.append(" the ").append(kWords[t][i / 2 % 4]).append(" and ").append(kWords[t][i / 7 % 4]);
  return text;
}

std::string several_csv(int rows, int first = 0) {
  std::string csv = "labels,text\n";
  for (int i = first; i < first + rows; ++i) {
    std::string labels;
    for (const int t : topics_of(i)) {
      if (!labels.empty()) labels += '|';
      labels += kNames[t];
    }
    csv += labels + "," + text_of(i) + "\n";
  }
  return csv;
}

std::string several_jsonl(int rows, int first) {
  std::string lines;
  for (int i = first; i < first + rows; ++i) {
    Json labels = Json::array();
    for (const int t : topics_of(i)) labels.push_back(kNames[t]);
    lines += Json({{"labels", labels}, {"text", text_of(i)}}).dump() + "\n";
  }
  return lines;
}

struct SeveralWorkspace : Workspace {
  SeveralWorkspace() {
    write("train.csv", several_csv(300));
    write("test.csv", several_csv(80, 1000));
    write("test.jsonl", several_jsonl(80, 1000));
  }
  Outcome train(const std::string& out, std::vector<std::string> more = {}) const {
    return run(arguments(out, std::move(more)));
  }
  static std::vector<std::string> arguments(const std::string& out, std::vector<std::string> more) {
    std::vector<std::string> all = {
        "train", "--config", "small.json", "--out", out, "--set", "data.label_separator=|"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  Json json(std::vector<std::string> arguments) const {
    arguments.push_back("--json");
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
    return Json::parse(outcome.out);
  }
};

/// One run of both branches, trained once.
const SeveralWorkspace& trained_on_several() {
  static const SeveralWorkspace& workspace = *[] {
    auto* made = new SeveralWorkspace;
    const Outcome outcome = made->train("runs/several", {"--set", "ngrams.max=1"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("(all of a text's labels right)"),
                                   HasSubstr("  micro-F1 "), Not(HasSubstr("warning"))));
    EXPECT_THAT(outcome.out,
                AllOf(HasSubstr("test micro-F1  "), HasSubstr("test macro-F1  "),
                      HasSubstr("validation all labels right  "), Not(HasSubstr("majority"))));
    return made;
  }();
  return workspace;
}

TEST(MultiLabel, LearnsWhichLabelsATextHas) {
  const SeveralWorkspace& workspace = trained_on_several();
  const fs::path run = workspace.path() / "runs/several";
  const Json test = Json::parse(read_file(run / "test.json"));
  EXPECT_GT(test.at("accuracy").get<double>(), 0.85);
  EXPECT_GT(test.at("labels").at("micro_f1").get<double>(), 0.9);
  EXPECT_EQ(test.at("classes").size(), 3U);
  EXPECT_EQ(test.at("confusion").size(), 0U);
  EXPECT_THAT(read_file(run / "metrics.jsonl"), HasSubstr("\"validation_micro_f1\":"));
  const Json thresholds = Json::parse(read_file(run / "checkpoints/best/thresholds.json"));
  for (const char* name : kNames) {
    EXPECT_GT(thresholds.at(name).get<double>(), 0);
    EXPECT_LT(thresholds.at(name).get<double>(), 1);
  }
  EXPECT_FALSE(fs::exists(run / "checkpoints/best/coverage.json"));
  const std::string page = read_file(run / "report.html");
  EXPECT_THAT(page, AllOf(HasSubstr("micro-F1"), HasSubstr(">threshold</th>"),
                          Not(HasSubstr("Confusion matrix"))));
}

TEST(MultiLabel, EvalReadsCsvAndJsonlAlike) {
  const SeveralWorkspace& workspace = trained_on_several();
  const Json test = Json::parse(read_file(workspace.path() / "runs/several/test.json"));
  for (const char* file : {"test.csv", "test.jsonl"}) {
    const Json found = workspace.json({"eval", "--checkpoint", "runs/several", "--data", file});
    EXPECT_EQ(found.at("accuracy"), test.at("accuracy")) << file;
    EXPECT_EQ(found.at("labels"), test.at("labels")) << file;
    EXPECT_EQ(found.at("mean_loss"), test.at("mean_loss")) << file;
  }
  const Outcome table =
      workspace.run({"eval", "--checkpoint", "runs/several", "--output", "predictions.tsv"});
  EXPECT_EQ(table.exit_code, 0) << table;
  EXPECT_THAT(table.out, AllOf(HasSubstr("Hamming loss"), HasSubstr("LRAP"),
                               HasSubstr("answered  threshold\n"), HasSubstr("\nmoney ")));
  const std::vector<std::string> lines = lines_of(read_file(workspace.path() / "predictions.tsv"));
  ASSERT_EQ(lines.size(), 81U);
  EXPECT_EQ(lines[0], "row\tgold\tpredicted\tprobability");
  const Outcome precisions =
      workspace.run({"eval", "--checkpoint", "runs/several", "--compare-precision", "bf16"});
  EXPECT_EQ(precisions.exit_code, 0) << precisions;
}

TEST(MultiLabel, TwoModelsAreComparedByTheRowsOfWhichAllIsRight) {
  const SeveralWorkspace& workspace = trained_on_several();
  ASSERT_EQ(workspace.train("runs/worse", {"--set", "train.length=1u", "--set", "train.warmup=0u"})
                .exit_code,
            0);
  const Json worse =
      workspace.json({"eval", "--checkpoint", "runs/worse", "--output", "worse.tsv"});
  const Json found =
      workspace.json({"eval", "--checkpoint", "runs/several", "--against", "worse.tsv"});
  const Json& against = found.at("against");
  EXPECT_EQ(against.at("accuracy"), worse.at("accuracy"));
  EXPECT_NEAR(
      (against.at("both_right").get<double>() + against.at("only_this_right").get<double>()) / 80,
      found.at("accuracy").get<double>(), 1e-9);
  EXPECT_LT(against.at("mcnemar_p_value").get<double>(), 0.05);
  const Outcome text =
      workspace.run({"eval", "--checkpoint", "runs/several", "--against", "worse.tsv"});
  EXPECT_THAT(text.out, HasSubstr("\nagainst worse.tsv  "));
}

TEST(MultiLabel, UnknownLabelsAreCounted) {
  const SeveralWorkspace& workspace = trained_on_several();
  workspace.write("new.csv", "labels,text\nsport|chess,goal match\n,number\nchess,coach\n");
  const Outcome outcome =
      workspace.run({"eval", "--checkpoint", "runs/several", "--data", "new.csv"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.out, HasSubstr("no class  2 of these rows: they have labels that are none of "
                                     "the model's (2 in all), so they count as wrong"));
  EXPECT_THAT(outcome.err, HasSubstr("have a label that the model lacks"));
}

TEST(MultiLabel, PredictAnswersNoneOneOrMore) {
  const SeveralWorkspace& workspace = trained_on_several();
  const std::string input =
      "the goal and team the rain and storm\nthe bank and profit\n"
      "number n3\n";
  const Outcome tsv = workspace.run({"predict", "--checkpoint", "runs/several"}, input);
  ASSERT_EQ(tsv.exit_code, 0) << tsv;
  const std::vector<std::string> lines = lines_of(tsv.out);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_THAT(lines[0], MatchesRegex("sport\\|weather\t[01]\\.[0-9]+\\|[01]\\.[0-9]+"));
  EXPECT_THAT(lines[1], MatchesRegex("money\t[01]\\.[0-9]+"));
  EXPECT_EQ(lines[2], "\t");
  const Outcome jsonl = workspace.run({"predict", "--checkpoint", "runs/several", "--format",
                                       "jsonl", "--probabilities", "--top", "2", "--logits"},
                                      input);
  ASSERT_EQ(jsonl.exit_code, 0) << jsonl;
  const Json first = Json::parse(lines_of(jsonl.out).at(0));
  EXPECT_EQ(first.at("labels"), Json({"sport", "weather"}));
  EXPECT_EQ(first.at("label_probabilities").size(), 2U);
  EXPECT_NEAR(first.at("probabilities").at("sport").get<double>(),
              first.at("label_probabilities")[0].get<double>(), 1e-5);
  EXPECT_EQ(first.at("top").size(), 2U);
  EXPECT_EQ(first.at("logits").size(), 3U);
  EXPECT_EQ(Json::parse(lines_of(jsonl.out).at(2)).at("labels"), Json::array());
  const Outcome top = workspace.run({"predict", "--checkpoint", "runs/several", "--top", "3"},
                                    "the bank and profit\n");
  EXPECT_THAT(top.out,
              MatchesRegex("money\t[01]\\.[0-9]+\tmoney\t[01]\\.[0-9]+\t[a-z]+\t[01]\\.[0-9]+\t"
                           "[a-z]+\t[01]\\.[0-9]+\n"));
}

TEST(MultiLabel, EachLabelThatIsAnsweredIsExplained) {
  const SeveralWorkspace& workspace = trained_on_several();
  const std::string input =
      "the goal and team the rain and storm\n"
      "number n3\nxqxq jzjz\n";
  const auto explained = [&](const std::string& format) {
    const Outcome outcome = workspace.run(
        {"predict", "--checkpoint", "runs/several", "--explain=3", "--format", format, "--logits"},
        input);
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
    return lines_of(outcome.out);
  };
  const std::vector<std::string> labels = {"money", "sport", "weather"};
  const std::vector<std::string> lines = explained("jsonl");
  ASSERT_EQ(lines.size(), 3U);
  for (const std::string& line : lines) {
    const Json answer = Json::parse(line);
    std::vector<std::string> classes;
    for (const Json& own : answer.at("explanations")) {
      classes.push_back(own.at("class"));
      const auto place = std::ranges::find(labels, classes.back()) - labels.begin();
      const auto logit = own.at("logit").get<double>();
      EXPECT_NEAR(answer.at("logits")[static_cast<std::size_t>(place)].get<double>(), logit, 1e-3);
      double sum = own.at("baseline").get<double>() + own.at("others").get<double>();
      for (const Json& part : own.at("parts")) sum += part.at("contribution").get<double>();
      EXPECT_NEAR(sum, logit, 1e-3);
    }
    if (answer.at("labels").empty())
      EXPECT_EQ(classes.size(), 1U) << "the likeliest";
    else
      EXPECT_EQ(Json(classes), answer.at("labels"));
  }
  const Outcome text = workspace.run({"predict", "--checkpoint", "runs/several", "--explain=3"},
                                     "the goal and team the rain and storm\n"
                                     "number n3\n");
  EXPECT_THAT(text.out, AllOf(HasSubstr("\n sport:\n  "), HasSubstr("  logit\n weather:\n  "),
                              MatchesRegex("(.|\n)*\n\t\n [a-z]+, not answered:\n  (.|\n)*")));
  const Outcome tsv = workspace.run(
      {"predict", "--checkpoint", "runs/several", "--explain=1", "--format", "tsv"}, input);
  EXPECT_THAT(lines_of(tsv.out).at(0),
              MatchesRegex("sport\\|weather\t[^\t]+\tsport: [a-z ]+ [+-][0-9.]+ \\([a-z-]+\\) "
                           "\\| weather: [a-z ]+ [+-][0-9.]+ \\([a-z-]+\\)"));
}

TEST(MultiLabel, ItsAnswersAreATrainingFile) {
  const SeveralWorkspace& workspace = trained_on_several();
  const Outcome answers = workspace.run({"predict", "--checkpoint", "runs/several", "--format",
                                         "jsonl", "--keep", "text", "train.csv"});
  ASSERT_EQ(answers.exit_code, 0) << answers;
  workspace.write("taught.jsonl", answers.out);
  const Outcome trained_on =
      workspace.train("runs/taught", {"--train", "taught.jsonl", "--test", "test.jsonl"});
  EXPECT_EQ(trained_on.exit_code, 0) << trained_on;
}

TEST(MultiLabel, ATextOfUnknownWordsGetsTheLabelsShares) {
  const SeveralWorkspace& workspace = trained_on_several();
  const Outcome outcome = workspace.run(
      {"predict", "--checkpoint", "runs/several", "--format", "jsonl", "--probabilities"},
      "xqxq jzjz\n");
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const fs::path data = workspace.path() / "runs/several/checkpoints/best/data.json";
  const Json facts = Json::parse(read_file(data));
  const double share =
      (facts.at("class_rows")[0].get<double>() + 0.5) / (facts.at("rows").get<double>() + 1);
  EXPECT_NEAR(Json::parse(outcome.out).at("probabilities").at("money").get<double>(), share, 1e-4);
}

TEST(MultiLabel, EitherBranchAloneIsAModelToo) {
  const SeveralWorkspace workspace;
  for (const char* kind : {"model.dim=0", "ngrams.max=0"}) {
    const Outcome outcome =
        workspace.train("run", {"--overwrite", "--set", "ngrams.max=1", "--set", kind});
    ASSERT_EQ(outcome.exit_code, 0) << outcome;
    const Json test = Json::parse(read_file(workspace.path() / "run/test.json"));
    EXPECT_GT(test.at("labels").at("micro_f1").get<double>(), 0.8) << kind;
  }
}

TEST(MultiLabel, WithoutValidationRowsTheThresholdIsOneHalf) {
  const SeveralWorkspace workspace;
  const Outcome outcome =
      workspace.train("run", {"--set", "data.validation_fraction=0", "--set", "ngrams.max=1"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_FALSE(fs::exists(workspace.path() / "run/checkpoints/best/thresholds.json"));
  const Json test = Json::parse(read_file(workspace.path() / "run/test.json"));
  EXPECT_EQ(test.at("classes")[0].at("threshold"), 0.5);
  EXPECT_GT(test.at("labels").at("micro_f1").get<double>(), 0.8);
}

std::string weights_of(const SeveralWorkspace& workspace, const std::string& run) {
  return read_file(workspace.path() / run / "checkpoints/last/model.safetensors");
}

TEST(MultiLabel, BothKernelsLearnTheSameAndThreadsChangeNoBit) {
  const SeveralWorkspace workspace;
  const std::vector<std::string> all = {"--set", "model.bigram_buckets=64", "--set",
                                        "train.adversarial=0.1"};
  const auto with = [&](const std::string& out, std::vector<std::string> more) {
    more.insert(more.end(), all.begin(), all.end());
    const Outcome outcome = workspace.train(out, std::move(more));
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
    return Json::parse(read_file(workspace.path() / out / "test.json"))
        .at("labels")
        .at("micro_f1")
        .get<double>();
  };
  const double fused = with("one", {"--threads", "1"});
  with("two", {"--threads", "2"});
  EXPECT_TRUE(weights_of(workspace, "one") == weights_of(workspace, "two"));
  EXPECT_NEAR(with("reference", {"--set", "train.kernel=reference"}), fused, 0.1);
}

TEST(MultiLabel, GoesOnToTheSameBytes) {
  const SeveralWorkspace workspace;
  const std::vector<std::string> settings = {
      "--set", "train.length=200u",        "--set", "train.log_every=1",
      "--set", "train.evaluate_every=20u", "--set", "ngrams.max=1"};
  ASSERT_EQ(workspace.train("whole", settings).exit_code, 0);
  workspace.stopped_at({"update 30  grad"}, SeveralWorkspace::arguments("parts", settings));
  const Outcome resumed = workspace.run({"train", "--resume", "parts"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed;
  EXPECT_TRUE(weights_of(workspace, "whole") == weights_of(workspace, "parts"));
  EXPECT_EQ(read_file(workspace.path() / "whole/checkpoints/best/thresholds.json"),
            read_file(workspace.path() / "parts/checkpoints/best/thresholds.json"));
}

TEST(MultiLabel, IsPretrainedOnTheSameTextsAndOnOthers) {
  const SeveralWorkspace workspace;
  workspace.write("more.txt", "the goal and team\nrain and storm\n");
  const Outcome outcome =
      workspace.train("run", {"--set", "train.pretrain=20u", "--set", "pretrain.texts=more.txt"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("(2 without labels)"));
  const Outcome answer = workspace.run({"predict", "--checkpoint", "run"}, "goal team\n");
  EXPECT_EQ(answer.exit_code, 0) << answer;
}

TEST(MultiLabel, NeedsNoConfig) {
  const SeveralWorkspace workspace;
  workspace.write("many.csv", several_csv(1500));
  const Outcome outcome =
      workspace.run({"train", "--train", "many.csv", "--test", "test.csv", "--out", "run",
                     "--device", "cpu", "--threads", "1", "--set", "data.label_separator=|"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("defaults for 1,500 rows of 3 classes"));
  const Json test = Json::parse(read_file(workspace.path() / "run/test.json"));
  EXPECT_GT(test.at("labels").at("micro_f1").get<double>(), 0.9);
}

TEST(MultiLabel, ASeparatorThatNoCellHoldsIsAWarning) {
  const Workspace workspace;
  const Outcome outcome = workspace.run(
      {"train", "--config", "small.json", "--dry-run", "--set", "data.label_separator=;"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(
      outcome.err,
      HasSubstr("train.csv: no row has more than one label; is data.label_separator = \";\" "
                "what stands between them?"));
}

TEST(MultiLabel, RefusesWhatIsOfOneLabelAText) {
  const SeveralWorkspace& workspace = trained_on_several();
  const auto refused = [&](std::vector<std::string> arguments, const char* why) {
    const Outcome outcome = workspace.run(std::move(arguments));
    EXPECT_EQ(outcome.exit_code, 2) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr(why));
  };
  refused(
      {"predict", "--checkpoint", "runs/several", "--target-accuracy", "0.9", "test.csv"},
      "--target-accuracy: the model gives a text any number of labels, each from a threshold of "
      "its own on (thresholds.json), and there is no accuracy of one answer.");
  refused({"eval", "--checkpoint", "runs/several", "--set", "data.label_separator="},
          "data.label_separator: it is empty, but the model gives a text any number of labels");
  refused({"train", "--config", "small.json", "--out", "x", "--set", "data.label_separator=|",
           "--set", "train.class_weights=balanced"},
          "train.class_weights: weighs texts by their class");
  const TrainedWorkspace& one = trained_workspace();
  const Outcome single =
      one.workspace.run({"eval", "--checkpoint", "runs/small", "--set", "data.label_separator=|"});
  EXPECT_EQ(single.exit_code, 2) << single;
  EXPECT_THAT(single.err, HasSubstr("data.label_separator: the model was trained with one label a "
                                    "text; expected none."));
}

}  // namespace
}  // namespace diffuse::testing
