// Texts that are longer than what the network reads at once, and how far it carries what it reads.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "e2e/fixtures.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

/// The rows of easy_csv with 30 words before their text, which say nothing.
std::string late_csv(int rows, int first) {
  std::string filler;
  for (int i = 0; i < 30; ++i) filler += "filler ";
  std::istringstream lines(easy_csv(rows, first));
  std::string csv;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t comma = line.find(',');
    const bool quoted = line[comma + 1] == '"';
    const std::size_t text = comma + (quoted ? 2 : 1);
    csv += line.substr(0, text) + filler + line.substr(text) + "\n";
  }
  return csv;
}

/// A folder with two runs on such texts: `runs/cut` and `runs/pool`, ten words at a time.
struct LateTexts {
  Workspace workspace;
  Outcome cut;
  Outcome pool;

  LateTexts() {
    workspace.write("train.csv", late_csv(240, 0));
    workspace.write("test.csv", late_csv(60, 1000));
    cut = train("cut");
    pool = train("pool");
  }

  Outcome train(const std::string& how) const {
    return workspace.run({"train", "--config", "small.json", "--set", "tokenizer.max_tokens=10",
                          "--set", "tokenizer.long_texts=" + how, "--out", "runs/" + how});
  }
};

const LateTexts& late_texts() {
  static const LateTexts texts;
  return texts;
}

double test_accuracy(const std::string& how) {
  return nlohmann::json::parse(
      read_file(late_texts().workspace.path() / "runs" / how / "test.json"))["accuracy"];
}

TEST(LongTexts, ArePooledWhereCuttingLosesWhatTells) {
  const LateTexts& texts = late_texts();
  ASSERT_EQ(texts.cut.exit_code, 0) << texts.cut;
  ASSERT_EQ(texts.pool.exit_code, 0) << texts.pool;
  EXPECT_LT(test_accuracy("cut"), 0.6);
  EXPECT_GT(test_accuracy("pool"), 0.9);
  EXPECT_THAT(texts.cut.err, HasSubstr("are not read (tokenizer.max_tokens=0 or "
                                       "tokenizer.long_texts=pool reads all)"));
  EXPECT_THAT(
      texts.pool.err,
      AllOf(HasSubstr("data.train: "),
            HasSubstr("are longer than tokenizer.max_tokens = 10: the network reads them in"),
            HasSubstr("pieces and answers with the mean of a text's logits")));
  EXPECT_THAT(texts.pool.err, Not(HasSubstr("not read")));
}

TEST(LongTexts, EvalAndPredictReadThemAsTheTestDid) {
  const Workspace& workspace = late_texts().workspace;
  const Outcome eval = workspace.run({"eval", "--checkpoint", "runs/pool", "--json"});
  ASSERT_EQ(eval.exit_code, 0) << eval;
  EXPECT_EQ(nlohmann::json::parse(eval.out)["accuracy"], test_accuracy("pool"));
  std::string text;
  for (int i = 0; i < 200; ++i) text += "filler ";
  const Outcome predict =
      workspace.run({"predict", "--checkpoint", "runs/pool"}, text + "rain\nshort\n");
  ASSERT_EQ(predict.exit_code, 0) << predict;
  EXPECT_THAT(predict.err, HasSubstr("1 of 2 texts are longer than tokenizer.max_tokens = 10: the "
                                     "network has read them in 21 pieces and answered with the "
                                     "mean of a text's logits"));
}

TEST(LongTexts, AnExplanationIsOfAllPieces) {
  const Workspace& workspace = late_texts().workspace;
  const Outcome test =
      workspace.run({"predict", "--checkpoint", "runs/pool", "--explain", "--format", "jsonl"},
                    "filler filler filler filler filler filler filler filler filler filler filler "
                    "filler rain cloud\n");
  ASSERT_EQ(test.exit_code, 0) << test;
  EXPECT_THAT(test.err, Not(HasSubstr("do not add up")));
  EXPECT_THAT(test.out, HasSubstr("cloud"));
}

TEST(LongTexts, PiecesWithSpecialTokensOfTheirOwnAreNotExplained) {
  const Workspace workspace;
  const std::string vocab =
      (std::filesystem::path(DIFFUSE_SOURCE_DIR) / "data/bert-base-uncased/vocab.txt").string();
  workspace.write("train.csv", late_csv(60, 0));
  const Outcome trained = workspace.run(
      {"train", "--config", "small.json", "--set", "tokenizer.type=wordpiece", "--set",
       "tokenizer.vocab=" + vocab, "--set", "tokenizer.special_tokens=true", "--set",
       "tokenizer.max_tokens=10", "--set", "tokenizer.long_texts=pool", "--out", "runs/pieces"});
  ASSERT_EQ(trained.exit_code, 0) << trained;
  const Outcome explained =
      workspace.run({"predict", "--checkpoint", "runs/pieces", "--explain"}, "rain\n");
  EXPECT_EQ(explained.exit_code, 2) << explained;
  EXPECT_THAT(explained.err, HasSubstr("--explain: the model reads long texts in pieces with [CLS] "
                                       "and [SEP] of their own (tokenizer.long_texts = pool)"));
}

TEST(Reach, IsTheOperators) {
  const Workspace& workspace = trained_workspace().workspace;
  const Outcome table = workspace.run({"eval", "--checkpoint", "runs/small", "--reach"});
  ASSERT_EQ(table.exit_code, 0) << table;
  const std::vector<std::string> lines = lines_of(table.out);
  EXPECT_THAT(lines.at(2), MatchesRegex("distance +pairs +one edit +both, beyond the sum +share"));
  EXPECT_THAT(lines.at(3), MatchesRegex(" *1 +200 +[0-9.]+ +[0-9.]+ ± [0-9.]+ +[0-9.]+ %"));
  EXPECT_THAT(lines.back(),
              HasSubstr("no state is made of two tokens that are more than 2 apart, but by"));
  const Outcome json = workspace.run({"eval", "--checkpoint", "runs/small", "--reach", "--json"});
  ASSERT_EQ(json.exit_code, 0) << json;
  const auto figures = nlohmann::json::parse(json.out);
  EXPECT_GT(figures["farthest_pair_tokens"], 0);
  EXPECT_GT(figures["distances"][0]["change"], 0.01);
  EXPECT_GT(figures["distances"][0]["together"], 0);
}

TEST(Reach, RefusesWhatHasNone) {
  const Workspace& workspace = trained_workspace().workspace;
  const Outcome output =
      workspace.run({"eval", "--checkpoint", "runs/small", "--reach", "--output", "p.tsv"});
  EXPECT_EQ(output.exit_code, 2) << output;
  EXPECT_THAT(output.err, HasSubstr("--reach changes the texts and prints no predictions; --output "
                                    "cannot stand beside it."));
  const Workspace other;
  for (const auto& [set, message] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"model.dim=0", "ngrams.max=1"}, "--reach: the model has no network (model.dim = 0)"},
           {{"model.noise_std=0.1", "model.noise_at_evaluation=true"},
            "--reach: the model adds noise when it evaluates"}}) {
    std::vector<std::string> arguments = {"train", "--config", "small.json",
                                          "--out", "runs/it",  "--overwrite"};
    for (const std::string& one : set) arguments.insert(arguments.end(), {"--set", one});
    const Outcome trained = other.run(arguments);
    ASSERT_EQ(trained.exit_code, 0) << trained;
    const Outcome refused = other.run({"eval", "--checkpoint", "runs/it", "--reach"});
    EXPECT_EQ(refused.exit_code, 2) << refused;
    EXPECT_THAT(refused.err, HasSubstr(message));
  }
}

}  // namespace
}  // namespace diffuse::testing
