// predict --explain: which words and n-grams spoke for an answer.

#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "e2e/fixtures.hpp"
#include "e2e/small_distilbert.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;
using Json = nlohmann::json;

const std::string kText = "The MATCH, a goal\nzorgle 🚀 caf\u00E9 market cafe\u0301\n";

/// A workspace with three trained runs: both (network and n-grams), ngrams, network.
const Workspace& trained() {
  static const Workspace* const workspace = [] {
    auto* made = new Workspace;  // lives as long as the program
    const auto train = [&](const std::string& out, const std::vector<std::string>& settings) {
      std::vector<std::string> arguments = {"train", "--config", "small.json", "--out", out};
      for (const std::string& setting : settings) {
        arguments.emplace_back("--set");
        arguments.push_back(setting);
      }
      const Outcome outcome = made->run(arguments);
      EXPECT_EQ(outcome.exit_code, 0) << outcome;
    };
    train("both", {"ngrams.max=2", "model.bigram_buckets=1024"});
    train("ngrams", {"ngrams.max=2", "ngrams.char_max=3", "model.dim=0"});
    train("network", {"tokenizer.max_tokens=3"});
    return made;
  }();
  return *workspace;
}

Outcome explain(const std::string& run, std::vector<std::string> more,
                const std::string& input = kText) {
  std::vector<std::string> arguments = {"predict", "--checkpoint", run};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return trained().run(arguments, input);
}

/// Code points `begin` … `end` - 1 of `text`.
std::string code_points(const std::string& text, std::size_t begin, std::size_t end) {
  std::string part;
  std::size_t at = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i > 0 && (static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U) ++at;
    if (at >= begin && at < end) part.push_back(text[i]);
  }
  return part;
}

void expect_sound(const Json& answer) {
  const Json& explanation = answer.at("explanation");
  EXPECT_EQ(explanation.at("class"), answer.at("label"));
  double sum = explanation.at("baseline").get<double>() + explanation.at("others").get<double>();
  const auto text = explanation.at("text").get<std::string>();
  for (const Json& part : explanation.at("parts")) {
    sum += part.at("contribution").get<double>();
    EXPECT_EQ(code_points(text, part.at("start"), part.at("end")),
              part.at("text").get<std::string>());
    for (const Json& place : part.value("places", Json::array()))
      EXPECT_LT(place.at(0).get<int>(), place.at(1).get<int>());
  }
  const auto logit = explanation.at("logit").get<double>();
  EXPECT_NEAR(sum, logit, 1e-3);
  EXPECT_NEAR(explanation.at("error").get<double>(), 0, 1e-3);
  double largest = -1e9;
  for (const Json& one : answer.at("logits")) largest = std::max(largest, one.get<double>());
  EXPECT_NEAR(largest, logit, 1e-3);
}

TEST(Explain, PartsAndBaselineAddUpToTheLogitInEveryModel) {
  for (const char* run : {"both", "ngrams", "network"}) {
    const Outcome outcome =
        explain(run, {"--explain=4", "--format", "jsonl", "--logits"}, kText + "rain and storm\n");
    ASSERT_EQ(outcome.exit_code, 0) << outcome;
    const std::vector<std::string> lines = lines_of(outcome.out);
    ASSERT_EQ(lines.size(), 3U) << outcome;
    for (const std::string& line : lines) expect_sound(Json::parse(line));
    const Json first = Json::parse(lines[0]);
    EXPECT_EQ(first.at("explanation").at("text"), "The MATCH, a goal");
  }
}

TEST(Explain, NamesTheBranchesAndWhatIsUnknown) {
  const Outcome outcome = explain("both", {"--explain=100", "--format", "jsonl"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr(R"("text": "MATCH", "start": 4, "end": 9, "branch": "ngrams")"),
                    HasSubstr(R"("text": "MATCH", "start": 4, "end": 9, "branch": "network")"),
                    HasSubstr(R"("text": "zorgle", "start": 0, "end": 6, "branch": "network")"),
                    HasSubstr(R"("unknown": true)")));
  const Json second = Json::parse(lines_of(outcome.out).at(1));
  std::vector<std::string> unknown;
  for (const Json& part : second.at("explanation").at("parts"))
    if (part.contains("unknown")) unknown.push_back(part.at("text"));
  EXPECT_THAT(unknown, ::testing::UnorderedElementsAre("zorgle", "🚀", "caf\u00E9", "cafe\u0301"));
  EXPECT_EQ(second.at("explanation").at("others"), 0);
}

TEST(Explain, ForPeopleIsALineForEachPart) {
  const Outcome outcome = explain("both", {"--explain=2"}, "The MATCH, a goal\n");
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const std::vector<std::string> lines = lines_of(outcome.out);
  ASSERT_EQ(lines.size(), 6U) << outcome;
  EXPECT_THAT(lines[0], MatchesRegex("sport\t[01]\\.[0-9]{6}"));
  EXPECT_THAT(lines[1], MatchesRegex("  [+-][0-9.]+  .*  (n-gram|network|network, pair)"));
  EXPECT_THAT(lines[3], MatchesRegex("  [+-][0-9.]+  [0-9]+ more"));
  EXPECT_THAT(lines[4], MatchesRegex("  [+-][0-9.]+  without words"));
  EXPECT_THAT(lines[5], MatchesRegex("  = -?[0-9.]+  logit"));
  double sum = 0;
  for (std::size_t i = 1; i < 5; ++i) sum += std::stod(lines[i]);
  EXPECT_NEAR(sum, std::stod(lines[5].substr(4)), 4e-3);
  EXPECT_EQ(explain("both", {"--explain"}, "The MATCH, a goal\n").out,
            explain("both", {"--explain=10", "--format", "text"}, "The MATCH, a goal\n").out);
}

TEST(Explain, InTsvIsACellBeforeWhatIsKept) {
  trained().write("more.csv", "id,text\n7,The MATCH\n");
  const Outcome outcome =
      explain("both", {"--explain=2", "--format", "tsv", "more.csv", "--keep", "id"}, "");
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.out,
              MatchesRegex("sport\t[01]\\.[0-9]{6}\t[^\t]+ [+-][0-9.]+ \\((network|n-gram)\\); "
                           "[^\t]+ [+-][0-9.]+ \\((network|n-gram)\\)\t7\n"));
}

TEST(Explain, ReadsSeveralColumnsAsOneText) {
  Workspace workspace;
  std::string rows = "label,title,body\n";
  const std::vector<std::string> sport = {"sport,The match,a goal", "money,The bank,a market"};
  for (int i = 0; i < 40; ++i)
    rows += sport[static_cast<std::size_t>(i % 2)] + std::to_string(i) + "\n";
  workspace.write("two.csv", rows);
  ASSERT_EQ(workspace
                .run({"train", "--config", "small.json", "--out", "two", "--set",
                      "data.train=two.csv", "--set", "data.test=", "--set", "ngrams.max=2"})
                .exit_code,
            0);
  workspace.write("more.csv", "title,body\nThe MATCH ,\"A\ngoal1\"\n");
  const Outcome outcome = workspace.run({"predict", "--checkpoint", "two", "more.csv",
                                         "--explain=50", "--format", "jsonl", "--logits"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const Json answer = Json::parse(outcome.out);
  EXPECT_EQ(answer.at("explanation").at("text"), "The MATCH  A\ngoal1");
  EXPECT_THAT(outcome.out, HasSubstr(R"("text": "MATCH  A", "start": 4, "end": 12)"))
      << "from one column into the next";
  expect_sound(answer);
}

TEST(Explain, OfNothingKnownSaysSo) {
  const Outcome outcome = explain("both", {"--explain"}, "zorgle blorf\n");
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.out,
              HasSubstr("  nothing of it is known: the answer is the training rows' shares\n"));
  const Json answer = Json::parse(
      explain("both", {"--explain", "--format", "jsonl", "--logits"}, "zorgle blorf\n").out);
  EXPECT_TRUE(answer.at("explanation").at("parts").empty());
  expect_sound(answer);
}

TEST(Explain, TellsWhatTheNetworkDoesNotRead) {
  const std::string text = "the match of a goal caf\u00E9\n";
  EXPECT_THAT(explain("network", {"--explain"}, text).out,
              HasSubstr("  the network has not read the last 12 characters "
                        "(tokenizer.max_tokens)\n"));
  const Json answer = Json::parse(explain("network", {"--explain", "--format", "jsonl"}, text).out);
  EXPECT_EQ(answer.at("explanation").at("network_end"), 12);
  EXPECT_FALSE(Json::parse(explain("network", {"--explain", "--format", "jsonl"}, "goal\n").out)
                   .at("explanation")
                   .contains("network_end"));
}

TEST(Explain, AnswersUnusableRecordsInTheirPlaceAndManyAsOne) {
  std::string many;
  for (int i = 0; i < 50; ++i)
    many += "the match " + std::to_string(i) + "\n" + (i == 20 ? "\n" : "");
  const Outcome one = explain("both", {"--explain=1", "--threads", "1"}, many);
  EXPECT_EQ(one.exit_code, 1) << one;
  EXPECT_THAT(one.out, HasSubstr("#error\tempty"));
  EXPECT_EQ(explain("both", {"--explain=1", "--threads", "2"}, many).out, one.out);
  EXPECT_EQ(explain("both", {"--explain=1", "--batch-size", "7"}, many).out, one.out);
}

TEST(Explain, RefusesWhatItCannot) {
  const Outcome none = explain("both", {"--explain=0"});
  EXPECT_EQ(none.exit_code, 2) << none;
  EXPECT_THAT(none.err, HasSubstr("--explain"));
  const Outcome kept =
      explain("both", {"--explain", "--format", "jsonl", "--keep", "explanation", "more.csv"}, "");
  EXPECT_EQ(kept.exit_code, 2) << kept;
  EXPECT_THAT(kept.err, HasSubstr("--keep explanation: the output has a key of that name"));
  const Workspace workspace;
  write_pretrained(workspace, "hf");
  ASSERT_EQ(workspace
                .run({"train", "--config", "small.json", "--out", "bert", "--set",
                      "model.type=distilbert", "--set", "distilbert.pretrained=hf", "--set",
                      "tokenizer.type=wordpiece", "--set", "tokenizer.vocab=hf/vocab.txt", "--set",
                      "tokenizer.special_tokens=true", "--set", "train.length=1e"})
                .exit_code,
            0);
  const Outcome bert = workspace.run({"predict", "--checkpoint", "bert", "--explain"}, "rain\n");
  EXPECT_EQ(bert.exit_code, 2) << bert;
  EXPECT_THAT(bert.err,
              HasSubstr("--explain: the model is a DistilBERT; what can be explained is the "
                        "diffusion network and n-grams (model.type \"diffusion\")."));
}

/// Test rows of a class that they are not.
TEST(Explain, TheReportShowsItsErrorsSo) {
  const Workspace workspace;
  workspace.write("test.csv", "money,The MATCH & a goal\nmoney,Bank market\nsport,Bank SHARES\n");
  const Outcome outcome =
      workspace.run({"train", "--config", "small.json", "--out", "run", "--set", "ngrams.max=1"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const std::string page = read_file(workspace.path() / "run/report.html");
  EXPECT_THAT(page, AllOf(HasSubstr("title=\"+"), HasSubstr(">MATCH</mark>"),
                          HasSubstr("Marked is what spoke <mark class=\"for\"")));
  EXPECT_THAT(page, Not(HasSubstr("the match")));
}

}  // namespace
}  // namespace diffuse::testing
