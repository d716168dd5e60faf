// diffuse prune: a smaller checkpoint, and what it costs.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "e2e/fixtures.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

namespace fs = std::filesystem;
using Json = nlohmann::json;

/// A workspace with a run of both branches, `both`, of which a fifth of the rows chose.
class PruneTest : public ::testing::Test {
 protected:
  static const Workspace& trained() {
    static const Workspace workspace;
    static const Outcome outcome = workspace.run(
        {"train", "--config", "small.json", "--out", "both", "--set", "ngrams.max=2"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
    return workspace;
  }
  static fs::path path(const std::string& name) { return trained().path() / name; }

  static Outcome prune(const std::string& out, std::vector<std::string> more = {},
                       const std::string& checkpoint = "both") {
    std::vector<std::string> arguments = {"prune", "--checkpoint", checkpoint, "--out", out};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return trained().run(arguments);
  }
  static Json figures(const std::string& out, std::vector<std::string> more = {}) {
    more.push_back("--json");
    const Outcome outcome = prune(out, std::move(more));
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
    return Json::parse(outcome.out);
  }
  /// A copy of the run's checkpoint, under another name, whose files may be changed.
  static fs::path copy(const std::string& name) {
    fs::copy(fs::canonical(path("both/checkpoints/best")), path(name), fs::copy_options::recursive);
    fs::remove(path(name) / "manifest.json");  // what is changed here is meant
    return path(name);
  }
  static void set_key(const fs::path& checkpoint, const char* section, const char* key,
                      const Json& value) {
    Json config = Json::parse(read_file(checkpoint / "config.json"));
    config[section][key] = value;
    trained().write(fs::relative(checkpoint / "config.json", trained().path()).string(),
                    config.dump());
  }
};

TEST_F(PruneTest, APartIsTakenForNoPercentage) {
  for (const char* part : {"5%", "5"}) {
    const Outcome outcome = prune("none", {"--keep", part});
    EXPECT_EQ(outcome.exit_code, 2) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr(std::string("--keep: ") + part +
                                       " is not a part from 0 to 1; 5 % is 0.05"));
  }
}

TEST_F(PruneTest, WritesACheckpointThatEveryVerbReads) {
  const Outcome outcome = prune("small", {"--keep", "0.2", "--int8"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(
      lines_of(outcome.out),
      ElementsAre(
          MatchesRegex("n-grams     [0-9]+ of [0-9]+, trained anew on 168 rows, weights of a byte"),
          MatchesRegex(
              "size        n-grams .*B \\(before: .*B\\), all files .*B \\(before: .*B\\)"),
          MatchesRegex("factors     network .*, n-grams .* \\(before: network .*, n-grams .*\\)"),
          MatchesRegex("accuracy    [0-9.]+ % \\(before: [0-9.]+ %, [+-][0-9.]+ points\\)"
                       "  n = 42, validation rows"),
          MatchesRegex("mean loss   [0-9.]+ \\(before: [0-9.]+\\)"),
          MatchesRegex("answers     [0-9]+ of 42 are others than before"), "checkpoint  small"));
  EXPECT_THAT(outcome.err, HasSubstr("weights for each of 3 classes, trained in"));
  EXPECT_THAT(tree(path("small")),
              AllOf(Contains("manifest.json"), Contains("branches.json"), Contains("data.json"),
                    Contains("coverage.json"), Not(Contains("optimizer.safetensors")),
                    Not(Contains("state.json"))));
  const Outcome eval = trained().run({"eval", "--checkpoint", "small"});
  EXPECT_EQ(eval.exit_code, 0) << eval;
  EXPECT_THAT(eval.out, AllOf(HasSubstr("n = 60"), HasSubstr("branches  n-grams ")));
  const Outcome explained =
      trained().run({"predict", "--checkpoint", "small", "--explain"}, "the match, goal team\n");
  EXPECT_EQ(explained.exit_code, 0) << explained;
  EXPECT_THAT(explained.out, AllOf(StartsWith("sport\t"), HasSubstr("n-gram\n")));
  EXPECT_THAT(explained.err, Not(HasSubstr("do not add up")));
  const Outcome sure = trained().run(
      {"predict", "--checkpoint", "small", "--target-accuracy", "0.5"}, "the match, goal team\n");
  EXPECT_THAT(sure.out, StartsWith("sport\t")) << sure;
  const Outcome again = prune("smaller", {}, "small");
  EXPECT_EQ(again.exit_code, 0) << again;
  EXPECT_THAT(again.out, HasSubstr("weights in float32"));
  EXPECT_THAT(again.err, ContainsRegex("all [0-9]+ n-grams stay: they are few; --keep PART keeps "
                                       "fewer"));
}

TEST_F(PruneTest, ItsFiguresAreThoseThatEvalFinds) {
  const Json json = figures("figures", {"--keep", "0.1", "--data", "test.csv"});
  EXPECT_EQ(json.at("measured").at("name"), "test.csv");
  EXPECT_EQ(json.at("trained_rows"), 168);
  EXPECT_EQ(json.at("int8"), false);
  const auto evaluated = [](const std::string& checkpoint) {
    return Json::parse(trained().run({"eval", "--checkpoint", checkpoint, "--json"}).out);
  };
  for (const auto& [state, checkpoint] : {std::pair{"before", "both"}, {"after", "figures"}}) {
    const Json own = evaluated(checkpoint);
    EXPECT_EQ(json.at(state).at("accuracy"), own.at("accuracy")) << state;
    EXPECT_EQ(json.at(state).at("mean_loss"), own.at("mean_loss")) << state;
    EXPECT_EQ(json.at(state).at("ngram_factor"), own.at("branches").at("ngram_factor")) << state;
  }
  EXPECT_LE(json.at("after").at("ngrams").get<double>(),
            0.1 * json.at("before").at("ngrams").get<double>() + 1);
  EXPECT_EQ(json.at("after").at("ngram_bytes"), fs::file_size(path("figures/ngrams.safetensors")));
  EXPECT_LT(json.at("after").at("checkpoint_bytes"), json.at("before").at("checkpoint_bytes"));
}

TEST_F(PruneTest, TheValidationRowsChooseAnewAsInTraining) {
  // Of nearly all n-grams the factors and the table are nearly those of the training; from other
  // rows they would not be.
  const Json json = figures("nearly", {"--keep", "0.9999999"});
  EXPECT_NEAR(json.at("after").at("ngram_factor").get<double>(),
              json.at("before").at("ngram_factor").get<double>(), 1e-4);
  EXPECT_NEAR(json.at("after").at("network_factor").get<double>(),
              json.at("before").at("network_factor").get<double>(), 1e-4);
  EXPECT_EQ(json.at("measured").at("changed_answers"), 0);
  const Json was = Json::parse(read_file(path("both/checkpoints/best/coverage.json")));
  const Json is = Json::parse(read_file(path("nearly/coverage.json")));
  EXPECT_EQ(was.at("rows"), is.at("rows"));
  ASSERT_EQ(was.at("points").size(), is.at("points").size());
  for (std::size_t i = 0; i < was.at("points").size(); ++i)
    EXPECT_NEAR(was.at("points")[i][0].get<double>(), is.at("points")[i][0].get<double>(), 1e-3);
}

TEST_F(PruneTest, OfAllNgramsNothingIsTrainedAndTheConfidenceStays) {
  const Json same = figures("same", {"--keep", "1", "--data", "test.csv"});
  EXPECT_EQ(same.at("trained_rows"), 0);
  EXPECT_EQ(same.at("before").at("mean_loss"), same.at("after").at("mean_loss"));
  const Json bytes = figures("bytes", {"--keep", "1", "--int8"});
  EXPECT_EQ(bytes.at("measured").at("name"), "test.csv") << "the training file is not read";
  EXPECT_EQ(bytes.at("measured").at("changed_answers"), 0);
  EXPECT_NEAR(bytes.at("after").at("mean_loss").get<double>(),
              bytes.at("before").at("mean_loss").get<double>(), 1e-3);
  EXPECT_LT(bytes.at("after").at("ngram_bytes").get<double>(),
            0.75 * bytes.at("before").at("ngram_bytes").get<double>());
  for (const char* file : {"coverage.json", "model.safetensors"})
    for (const char* pruned : {"same", "bytes"})
      EXPECT_TRUE(read_file(path(pruned) / file) == read_file(path("both/checkpoints/best") / file))
          << pruned << " " << file;
}

TEST_F(PruneTest, OfNgramsAloneWithoutValidationRowsIsMeasuredOnTheTestFile) {
  const Outcome training =
      trained().run({"train", "--config", "small.json", "--out", "alone", "--set", "ngrams.max=1",
                     "--set", "model.dim=0", "--set", "data.validation_fraction=0"});
  ASSERT_EQ(training.exit_code, 0) << training;
  const Outcome outcome = prune("alone-small", {"--keep", "0.5", "--int8"}, "alone");
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("trained anew on 210 rows"), HasSubstr("n = 60, test.csv")));
  EXPECT_THAT(tree(path("alone-small")), Not(Contains("coverage.json")));
  const Json factors = Json::parse(read_file(path("alone-small/branches.json")));
  EXPECT_EQ(factors.at("network_factor"), 1);
  EXPECT_EQ(factors.at("ngram_factor"), factors.at("start_factor"));
}

TEST_F(PruneTest, WithoutValidationRowsTheNetworkCountsWhatItDid) {
  const Outcome training =
      trained().run({"train", "--config", "small.json", "--out", "rehearsed", "--set",
                     "ngrams.max=2", "--set", "data.validation_fraction=0"});
  ASSERT_EQ(training.exit_code, 0) << training;
  ASSERT_EQ(prune("rehearsed-small", {"--keep", "0.5"}, "rehearsed").exit_code, 0);
  const auto factors = [&](const std::string& folder) {
    return Json::parse(read_file(path(folder + "/branches.json")));
  };
  const Json before = factors("rehearsed/checkpoints/last");
  const Json after = factors("rehearsed-small");
  EXPECT_EQ(after.at("network_factor"), before.at("network_factor"));
  EXPECT_NEAR(after.at("ngram_factor").get<double>() / after.at("start_factor").get<double>(),
              before.at("ngram_factor").get<double>() / before.at("start_factor").get<double>(),
              1e-9);
}

TEST_F(PruneTest, TakesAValidationFileWeightsAndAFactorThatIsSet) {
  trained().write("chosen.csv", easy_csv(50, 700));
  const Outcome training = trained().run(
      {"train", "--config", "small.json", "--out", "set", "--set", "ngrams.max=1", "--set",
       "ngrams.factor=2.5", "--validation", "chosen.csv", "--set", "train.class_weights=balanced"});
  ASSERT_EQ(training.exit_code, 0) << training;
  const Outcome outcome = prune("set-small", {"--keep", "0.5"}, "set");
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("trained anew on 210 rows"), HasSubstr("n = 50, validation rows"),
                    HasSubstr("network 1, n-grams 2.5 (before: network 1, n-grams 2.5)")));
  fs::rename(path("chosen.csv"), path("moved.csv"));
  EXPECT_THAT(prune("set-gone", {"--keep", "0.5"}, "set").err, HasSubstr("chosen.csv"));
  const Outcome moved = prune("set-moved", {"--keep", "0.5", "--validation", "moved.csv"}, "set");
  EXPECT_EQ(moved.exit_code, 0) << moved;
  EXPECT_TRUE(read_file(path("set-small/ngrams.safetensors")) ==
              read_file(path("set-moved/ngrams.safetensors")));
}

TEST_F(PruneTest, OfSeveralLabelsChoosesTheThresholdsAnew) {
  const Workspace workspace;
  std::string csv = "labels,text\n";
  for (int i = 0; i < 240; ++i) {
    const bool sun = i % 2 == 0;
    const bool rain = i % 3 == 0;
    csv += std::string(sun ? "sun" : "") + (sun && rain ? "|" : "") + (rain ? "rain" : "") +
           ",day " + std::to_string(i % 23) + (sun ? " bright" : "") + (rain ? " wet" : "") + "\n";
  }
  workspace.write("several.csv", csv);
  const Outcome training =
      workspace.run({"train", "--config", "small.json", "--out", "run", "--train", "several.csv",
                     "--set", "data.test=", "--set", "data.label_separator=|", "--set",
                     "ngrams.max=2", "--set", "train.length=1e"});
  ASSERT_EQ(training.exit_code, 0) << training;
  const Outcome outcome =
      workspace.run({"prune", "--checkpoint", "run", "--out", "small", "--int8", "--keep", "0.05"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("\nall right "), HasSubstr("\nmicro-F1    ")));
  const auto thresholds = [&](const char* folder) {
    return Json::parse(read_file(workspace.path() / folder / "thresholds.json"));
  };
  EXPECT_NE(thresholds("small"), thresholds("run/checkpoints/best"));
  const Json eval = Json::parse(
      workspace.run({"eval", "--checkpoint", "small", "--data", "several.csv", "--json"}).out);
  EXPECT_NEAR(eval.at("classes")[0].at("threshold").get<double>(),
              thresholds("small").at("rain").get<double>(), 1e-6);
}

TEST_F(PruneTest, WithoutItsTrainingRowsIsRefusedAndTellsWhatNeedsNone) {
  const fs::path elsewhere = copy("elsewhere");
  set_key(elsewhere, "data", "train", path("gone.csv").string());
  const Outcome gone = prune("without", {"--keep", "0.05"}, "elsewhere");
  EXPECT_EQ(gone.exit_code, 2) << gone;
  EXPECT_THAT(
      gone.err,
      AllOf(HasSubstr("gone.csv"),
            HasSubstr("The n-grams that stay are trained anew on the rows that the model was "
                      "trained on: --train FILE says where they are. --keep 1 --int8 needs "
                      "none.")));
  EXPECT_FALSE(fs::exists(path("without")));
  EXPECT_EQ(prune("without", {"--keep", "1", "--int8"}, "elsewhere").exit_code, 0);
  EXPECT_EQ(prune("found", {"--keep", "0.05", "--train", "train.csv"}, "elsewhere").exit_code, 0);
  const Outcome other = prune("other", {"--keep", "0.05", "--train", "test.csv"}, "elsewhere");
  EXPECT_EQ(other.exit_code, 2) << other;
  EXPECT_THAT(other.err,
              HasSubstr("test.csv: these are not the rows that the model was trained on"));
}

TEST_F(PruneTest, OfAnOlderVersionTakesTheNgramsAsTheyAre) {
  fs::remove(copy("old") / "data.json");
  const Outcome outcome = prune("x-old", {"--keep", "0.05"}, "old");
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(
      outcome.err,
      HasSubstr("does not tell which rows it was trained on (data.json), for an older "
                "version wrote it: its n-grams cannot be trained anew. --keep 1 --int8 takes "
                "them as they are."));
  EXPECT_EQ(prune("x-old", {"--keep", "1", "--int8"}, "old").exit_code, 0);
}

TEST_F(PruneTest, WithoutRowsToMeasureOnWarns) {
  const fs::path checkpoint = copy("untested");
  set_key(checkpoint, "data", "test", "");
  const Outcome split = prune("untested-split", {"--keep", "1", "--json"}, "untested");
  EXPECT_EQ(Json::parse(split.out).at("measured").at("name"), "validation rows") << split;
  EXPECT_EQ(Json::parse(split.out).at("trained_rows"), 0);
  set_key(checkpoint, "data", "train", path("gone-too.csv").string());
  const Outcome none = prune("untested-small", {"--keep", "1"}, "untested");
  EXPECT_EQ(none.exit_code, 0) << none;
  EXPECT_THAT(none.out, Not(HasSubstr("accuracy")));
  EXPECT_THAT(none.err,
              HasSubstr("The accuracy before and after is not told: no rows chose in the training, "
                        "or they are not where they were, and there is no test file; --data FILE "
                        "names rows."));
  set_key(checkpoint, "data", "test", path("gone.csv").string());
  const Outcome gone = prune("untested-too", {"--keep", "1", "--json"}, "untested");
  EXPECT_EQ(gone.exit_code, 0) << gone;
  EXPECT_THAT(gone.err, AllOf(HasSubstr("is not told: "), HasSubstr("gone.csv")));
  EXPECT_TRUE(Json::parse(gone.out).at("measured").is_null());
}

TEST_F(PruneTest, DamagedBytesAreRefused) {
  ASSERT_EQ(prune("damaged", {"--keep", "1", "--int8"}).exit_code, 0);
  const fs::path file = path("damaged/ngrams.safetensors");
  const std::string whole = read_file(file);
  fs::resize_file(file, whole.size() - 1);
  const Outcome changed = trained().run({"eval", "--checkpoint", "damaged"});
  EXPECT_EQ(changed.exit_code, 2) << changed;
  EXPECT_THAT(changed.err, HasSubstr("ngrams.safetensors"));
  fs::remove(path("damaged/manifest.json"));
  const Outcome cut = trained().run({"eval", "--checkpoint", "damaged"});
  EXPECT_EQ(cut.exit_code, 2) << cut;
  EXPECT_THAT(cut.err, HasSubstr("not a usable safetensors file"));
  std::string renamed = whole;
  renamed.replace(renamed.find("\"step\""), 6, "\"stop\"");
  trained().write("damaged/ngrams.safetensors", renamed);
  const Outcome without = trained().run({"predict", "--checkpoint", "damaged"}, "match\n");
  EXPECT_EQ(without.exit_code, 2) << without;
  EXPECT_THAT(without.err, HasSubstr("has no tensor \"step\" of type BF16 with 1 dimension."));
}

TEST_F(PruneTest, RefusesWhatItCannot) {
  const Outcome there = prune("both");
  EXPECT_EQ(there.exit_code, 2) << there;
  EXPECT_THAT(there.err,
              HasSubstr("--out both: it is there already; expected the name of a new folder."));
  const Outcome none =
      trained_workspace().workspace.run({"prune", "--checkpoint", "runs/small", "--out", "pruned"});
  EXPECT_EQ(none.exit_code, 2) << none;
  EXPECT_THAT(none.err,
              HasSubstr("the model has no n-grams (ngrams.max, ngrams.char_max): there is "
                        "nothing to prune."));
  for (const char* keep : {"0", "1.1", "-1", "half"}) {
    const Outcome outcome = prune("x-keep", {"--keep", keep});
    EXPECT_EQ(outcome.exit_code, 2) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr("--keep"));
  }
  const Outcome validation = prune("x-keep", {"--validation", "test.csv"});
  EXPECT_EQ(validation.exit_code, 2) << validation;
  EXPECT_THAT(
      validation.err,
      HasSubstr("--validation: the model was trained without a validation file; the rows "
                "that chose are a part of its training file (--train), or there were none."));
  EXPECT_THAT(prune("x-keep", {"--data", "gone.csv"}).err, HasSubstr("gone.csv"));
  EXPECT_FALSE(fs::exists(path("x-keep")));
}

TEST_F(PruneTest, OfAnEnsembleIsRefused) {
  const Workspace workspace;
  const Outcome training =
      workspace.run({"train", "--config", "small.json", "--out", "cv", "--folds", "2", "--ensemble",
                     "--set", "ngrams.max=1", "--set", "train.length=1e"});
  ASSERT_EQ(training.exit_code, 0) << training;
  const Outcome all = workspace.run({"prune", "--checkpoint", "cv", "--out", "x"});
  EXPECT_EQ(all.exit_code, 2) << all;
  EXPECT_THAT(all.err, HasSubstr("--checkpoint cv: it is an ensemble; prune makes one model "
                                 "smaller, which was trained on all rows."));
  const Outcome one =
      workspace.run({"prune", "--checkpoint", "cv/folds/1", "--out", "x", "--keep", "0.5"});
  EXPECT_EQ(one.exit_code, 2) << one;
  EXPECT_THAT(one.err,
              HasSubstr("or it is a model of `train --folds`, which knows a part of them"));
}

TEST_F(PruneTest, HelpHasExamples) {
  const Outcome outcome = trained().run({"prune", "--help"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("diffuse prune --checkpoint runs/r8 --out r8-small"),
                                 HasSubstr("--keep PART; a twentieth, but 20,000 at least"),
                                 HasSubstr("--int8")));
}

}  // namespace
}  // namespace diffuse::testing
