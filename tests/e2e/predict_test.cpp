#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "e2e/fixtures.hpp"
#include "support/gzip.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

Outcome predict(std::vector<std::string> more, const std::string& input = "") {
  std::vector<std::string> arguments = {"predict", "--checkpoint", "runs/small"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return trained_workspace().workspace.run(arguments, input);
}

TEST(PredictVerb, WritesLabelAndProbability) {
  const Outcome outcome = predict({}, "the match, a goal\nrain and storm\nbank shares market\n");
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const std::vector<std::string> lines = lines_of(outcome.out);
  ASSERT_EQ(lines.size(), 3U) << outcome;
  EXPECT_THAT(lines[0], MatchesRegex("sport\t[01]\\.[0-9]{6}"));
  EXPECT_THAT(lines[1], MatchesRegex("weather\t[01]\\.[0-9]{6}"));
  EXPECT_THAT(lines[2], MatchesRegex("money\t[01]\\.[0-9]{6}"));
}

TEST(PredictVerb, ReadsAFileOrStdin) {
  trained_workspace().workspace.write("texts.txt", "the match, a goal\r\nrain and storm");
  const Outcome file = predict({"texts.txt"});
  EXPECT_EQ(file.exit_code, 0) << file;
  EXPECT_EQ(lines_of(file.out).size(), 2U) << file;
  EXPECT_EQ(predict({"-"}, "the match, a goal\nrain and storm\n").out, file.out);
}

TEST(PredictVerb, ReadsAPackedFile) {
  const std::string texts = "rain and storm\nthe match, a goal\n";
  const std::string packed = gzip(texts);
  trained_workspace().workspace.write("texts.txt.gz", packed);
  const Outcome outcome = predict({"texts.txt.gz"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_EQ(outcome.out, predict({"-"}, texts).out);
  trained_workspace().workspace.write("cut.txt.gz", packed.substr(0, packed.size() - 9));
  const Outcome cut = predict({"cut.txt.gz"});
  EXPECT_NE(cut.exit_code, 0) << cut;
  EXPECT_THAT(cut.err, HasSubstr("cut.txt.gz"));
}

TEST(PredictVerb, TopGivesPairsThatFallAndSumToOne) {
  const Outcome outcome = predict({"--top", "3"}, "the match, a goal\n");
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  std::vector<std::string> cells;
  std::istringstream line(lines_of(outcome.out).at(0));
  for (std::string cell; std::getline(line, cell, '\t');) cells.push_back(cell);
  ASSERT_EQ(cells.size(), 6U) << outcome;
  EXPECT_EQ(cells[0], "sport");
  const double first = std::stod(cells[1]), second = std::stod(cells[3]),
               third = std::stod(cells[5]);
  EXPECT_GE(first, second);
  EXPECT_GE(second, third);
  EXPECT_NEAR(first + second + third, 1.0, 1e-5);
}

TEST(PredictVerb, TopBeyondTheClassesIsRefused) {
  const Outcome outcome = predict({"--top", "4"}, "a\n");
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_THAT(outcome.err, HasSubstr("--top 4: the model has 3 classes"));
}

TEST(PredictVerb, JsonLinesInAndOut) {
  const Outcome outcome = predict({"--input-format", "jsonl", "--format", "jsonl", "--top", "2"},
                                  "{\"id\": 7, \"text\": \"rain and \\\"storm\\\"\"}\n");
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("text is key \"text\""));
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["label"], "weather");
  ASSERT_EQ(json["top"].size(), 2U);
  EXPECT_EQ(json["top"][0]["label"], json["label"]);
  EXPECT_EQ(json["top"][0]["probability"], json["probability"]);
  EXPECT_GE(json["top"][0]["probability"], json["top"][1]["probability"]);
}

TEST(PredictVerb, UnusableTextLinesAreAnsweredInTheirPlace) {
  const std::string nul(1, '\0');
  const std::string input =
      "the match\n\n   \nbad \xFF byte\nnul " + nul + " byte\nrain and storm\n";
  const Outcome outcome = predict({}, input);
  EXPECT_EQ(outcome.exit_code, 1) << outcome;
  const std::vector<std::string> lines = lines_of(outcome.out);
  ASSERT_EQ(lines.size(), 6U) << outcome;
  EXPECT_THAT(lines[0], MatchesRegex("sport\t[01].*"));
  const std::string empty = "#error\tempty text; expected at least one character that is not blank";
  EXPECT_EQ(lines[1], empty);
  EXPECT_EQ(lines[2], empty);
  EXPECT_EQ(
      lines[3],
      "#error\tinvalid UTF-8: byte 0xFF at column 5; expected UTF-8 (`iconv -f WINDOWS-1252 -t "
      "UTF-8` converts a file in Windows-1252)");
  EXPECT_EQ(lines[4], "#error\tNUL character at column 5; expected text");
  EXPECT_THAT(lines[5], MatchesRegex("weather\t[01].*"));
  EXPECT_THAT(outcome.err,
              HasSubstr("4 records could not be used, the first is line 2: empty text"));
}

TEST(PredictVerb, UnusableObjectsAreAnsweredInTheirPlace) {
  const Outcome outcome = predict({"--input-format", "jsonl", "--format", "jsonl"},
                                  "{\"text\": \"rain\"}\n{\"text\": \n{\"label\": \"x\"}\n[1]\n"
                                  "{\"text\": 5}\n{\"text\": \" \"}\n\n{\"text\": \"a\\u0000\"}\n");
  EXPECT_EQ(outcome.exit_code, 1) << outcome;
  const std::vector<std::string> lines = lines_of(outcome.out);
  ASSERT_EQ(lines.size(), 8U) << outcome;
  const auto error = [&](std::size_t line) {
    return nlohmann::json::parse(lines[line])["error"].get<std::string>();
  };
  EXPECT_EQ(nlohmann::json::parse(lines[0])["label"], "weather");
  EXPECT_THAT(error(1), HasSubstr("not valid JSON at column"));
  EXPECT_EQ(error(2),
            "there is no key \"text\", nor another that holds a text; expected an object such as "
            "{\"text\": \"...\"}");
  EXPECT_THAT(error(3), HasSubstr("the line holds array; expected a JSON object"));
  EXPECT_EQ(error(4), "the text \"text\" is of type number; expected a string");
  EXPECT_THAT(error(5), HasSubstr("empty text"));
  EXPECT_EQ(error(6), "empty line; expected one JSON object a line");
  EXPECT_EQ(error(7), "NUL character in the row; expected text");
}

TEST(PredictVerb, AKeyThatStandsTwiceIsAnErrorRecordAsInTraining) {
  const Outcome outcome =
      predict({"--input-format", "jsonl"}, "{\"text\": \"rain\", \"text\": \"goal\"}\n");
  EXPECT_EQ(outcome.exit_code, 1) << outcome;
  EXPECT_EQ(outcome.out, "#error\tthe key \"text\" stands twice; expected each key once\n");
}

TEST(PredictVerb, ANulByteInAnObjectIsAnErrorRecord) {
  const Outcome outcome =
      predict({"--input-format", "jsonl"}, std::string("{\"text\": \"a\"}\0\n", 15));
  EXPECT_EQ(outcome.exit_code, 1) << outcome;
  EXPECT_EQ(outcome.out, "#error\tNUL character at column 14; expected text\n");
}

TEST(PredictVerb, AWrongChoiceIsNamedWithWhatIsAllowed) {
  for (const auto& [arguments, message] :
       std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"--format", "tvs"}, "tvs is not one of text, tsv, jsonl; did you mean tsv?"},
           {{"--format", "1"}, "1 is not one of text, tsv, jsonl"},
           {{"--input-format", "xml"}, "xml is not one of auto, text, csv, tsv, jsonl"},
           {{"--top", "0"}, "not in range"},
           {{"--target-accuracy", "95"},
            "--target-accuracy: 95 is not a part from 0 to 1; 95 % is 0.95"},
           {{"--target-accuracy", "high"}, "--target-accuracy: high is not a part from 0 to 1"}}) {
    const Outcome outcome = predict(arguments);
    EXPECT_EQ(outcome.exit_code, 2) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr(message));
  }
}

TEST(PredictVerb, ObjectsMayHoldTheKeysThatTrainingFindsByItself) {
  const std::string plain =
      predict({"--input-format", "jsonl"}, "{\"text\": \"match goal\"}\n").out;
  const Outcome outcome = predict({"--input-format", "jsonl"},
                                  "{\"title\": \"match\", \"id\": \"rain\", \"body\": \"goal\"}\n"
                                  "{\"words\": \"match goal\", \"label\": \"rain\", \"n\": 3}\n");
  EXPECT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_EQ(outcome.out, plain + plain);
}

TEST(PredictVerb, LogitsAreThoseOfTheProbabilities) {
  const Outcome outcome = predict({"--format", "jsonl", "--logits"}, "the match, a goal\n");
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const auto json = nlohmann::json::parse(outcome.out);
  const auto logits = json.at("logits").get<std::vector<double>>();
  ASSERT_EQ(logits.size(), 3U);
  double sum = 0, largest = 0;
  for (const double logit : logits) {
    sum += std::exp(logit);
    largest = std::max(largest, std::exp(logit));
  }
  EXPECT_NEAR(largest / sum, json.at("probability").get<double>(), 1e-6);
  const Outcome tsv = predict({"--logits"}, "a\n");
  EXPECT_EQ(tsv.exit_code, 2) << tsv;
  EXPECT_THAT(tsv.err, HasSubstr("--logits: only --format jsonl has a place for them"));
}

TEST(PredictVerb, EmptyInputGivesNoOutput) {
  const Outcome outcome = predict({}, "");
  EXPECT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.out, IsEmpty());
}

TEST(PredictVerb, AMissingFileOrAFolderIsNamed) {
  for (const auto& [file, message] : std::vector<std::pair<std::string, std::string>>{
           {"gone.txt", "gone.txt: there is no such file"},
           {"runs", "runs is a folder; expected a file"}}) {
    const Outcome outcome = predict({file});
    EXPECT_EQ(outcome.exit_code, 2) << outcome;
    EXPECT_THAT(outcome.out, IsEmpty());
    EXPECT_THAT(outcome.err, HasSubstr(message));
  }
}

TEST(PredictVerb, TheColumnsOfTheTrainingDataMayStandForText) {
  Workspace workspace;
  std::string rows;
  for (int i = 0; i < 20; ++i) {
    rows += "{\"topic\": \"sport\", \"title\": \"match\", \"body\": \"goal " + std::to_string(i) +
            "\"}\n{\"topic\": \"money\", \"title\": \"bank\", \"body\": \"profit\"}\n";
  }
  workspace.write("train.jsonl", rows);
  ASSERT_EQ(workspace
                .run({"train", "--train", "train.jsonl", "--out", "run", "--device", "cpu", "--set",
                      "data.text_columns=title,body", "--set", "train.length=2u", "--set",
                      "train.warmup=1u", "--set", "model.dim=8"})
                .exit_code,
            0);
  const Outcome outcome =
      workspace.run({"predict", "--checkpoint", "run", "--input-format", "jsonl"},
                    "{\"title\": \"match\", \"body\": \"goal\"}\n{\"title\": \"match\"}\n"
                    "{\"words\": \"match\"}\n");
  EXPECT_EQ(outcome.exit_code, 1) << outcome;
  const std::vector<std::string> lines = lines_of(outcome.out);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_THAT(lines[0], MatchesRegex("(sport|money)\t.*"));
  EXPECT_THAT(lines[1], MatchesRegex("(sport|money)\t.*"));  // each may be missing
  EXPECT_EQ(lines[2],
            "#error\tthere is no key \"title\", \"body\", nor \"text\"; expected an object such as "
            "{\"text\": \"...\"}");
}

TEST(PredictFiles, GoByTheirNameAndNeedNoLabel) {
  const Workspace& workspace = trained_workspace().workspace;
  const std::string plain = predict({}, "the match, a goal\nrain and storm\n").out;
  workspace.write("two.CSV", "text,id\n\"the match, a goal\",7\nrain and storm,8\n");
  workspace.write("two.tsv", "id\ttext\n7\tthe match, a goal\n8\train and storm\n");
  workspace.write("two.jsonl", "{\"text\":\"the match, a goal\"}\n{\"text\":\"rain and storm\"}\n");
  for (const char* file : {"two.tsv", "two.jsonl"})
    EXPECT_EQ(predict({file, "--set", "data.text_columns=text"}).out, plain) << file;
  EXPECT_EQ(predict({"two.CSV", "--set", "data.text_columns=text"}).out, plain);
  EXPECT_EQ(predict({"--input-format", "csv", "--set", "data.text_columns=text"},
                    "text\nthe match a goal\nrain and storm\n")
                .exit_code,
            0);
}

/// A model that was trained on columns with names.
const Workspace& named_workspace() {
  static const Workspace& made = [&]() -> const Workspace& {
    static const Workspace workspace;
    std::string rows = "id,label,text,when\n";
    for (int i = 0; i < 30; ++i) {
      rows += std::to_string(i) + ",sport,the match was a goal,2024-01-02\n";
      rows += std::to_string(i) + ",weather,rain and storm all over,2024-01-03\n";
      if (i % 3 == 0) rows += std::to_string(i) + ",weather,rain or storm,2024-01-03\n";
    }
    workspace.write("named.csv", rows);
    const Outcome outcome = workspace.run({"train", "--train", "named.csv", "--out", "named",
                                           "--device", "cpu", "--set", "train.length=20e", "--set",
                                           "tokenizer.min_count=1", "--set", "model.dim=16"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
    return workspace;
  }();
  return made;
}

Outcome predict_named(std::vector<std::string> more, const std::string& input = "") {
  std::vector<std::string> arguments = {"predict", "--checkpoint", "named"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return named_workspace().run(arguments, input);
}

TEST(PredictFiles, OneAnswerForEachRecordAndNoneForTheHeader) {
  named_workspace().write("more.csv",
                          "text,id\n\"the match\nwas a goal\",a-1\n\"rain\n\nand storm\",\"b\t2\"\n"
                          "text,id\nonly one\n");
  const Outcome outcome = predict_named({"more.csv", "--keep", "id"});
  EXPECT_EQ(outcome.exit_code, 1) << outcome;
  const std::vector<std::string> lines = lines_of(outcome.out);
  ASSERT_EQ(lines.size(), 3U) << outcome;
  EXPECT_THAT(lines[0], MatchesRegex("sport\t[01]\\.[0-9]{6}\ta-1"));
  EXPECT_THAT(lines[1], MatchesRegex("weather\t[01]\\.[0-9]{6}\tb.t2"));
  EXPECT_EQ(lines[2], "#error\t1 field; expected 2 as on line 1\t");
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("more.csv: the first line is a header, text is column 1"),
                    HasSubstr("the header comes again on 1 line"),
                    HasSubstr("1 record could not be used, the first is line 8")));
}

TEST(PredictFiles, NamesHoldInEveryFormat) {
  named_workspace().write(
      "more.jsonl", "{\"id\": 7, \"text\": \"rain and storm\", \"comment\": \"goal match\"}\n");
  const Outcome outcome =
      predict_named({"more.jsonl", "--format", "jsonl", "--keep", "id,comment"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const auto json = nlohmann::ordered_json::parse(outcome.out);
  EXPECT_EQ(json["label"], "weather");
  EXPECT_EQ(json["id"], 7);
  EXPECT_EQ(json["comment"], "goal match");
  EXPECT_EQ(json.begin().key(), "id");
  named_workspace().write("odd.csv", "body,id\nrain,1\n");
  const Outcome odd = predict_named({"odd.csv"});
  EXPECT_EQ(odd.exit_code, 2) << odd;
  EXPECT_THAT(odd.err, HasSubstr("odd.csv:1: the first line names none of the columns"));
  EXPECT_EQ(predict_named({"odd.csv", "--set", "data.text_columns=body"}).exit_code, 0);
}

TEST(PredictFiles, WhatCannotBeKeptIsSaid) {
  const Outcome text = predict_named({"--keep", "id"}, "rain\n");
  EXPECT_EQ(text.exit_code, 2) << text;
  EXPECT_THAT(text.err, HasSubstr("--keep: lines of text have no columns"));
  named_workspace().write("own.csv", "label,text\nx,rain\n");
  const Outcome own = predict_named({"own.csv", "--format", "jsonl", "--keep", "label"});
  EXPECT_EQ(own.exit_code, 2) << own;
  EXPECT_THAT(own.err, HasSubstr("--keep label: the output has a key of that name"));
  const Outcome fixed = predict_named({"own.csv", "--set", "model.dim=8"});
  EXPECT_EQ(fixed.exit_code, 2) << fixed;
  EXPECT_THAT(fixed.err, HasSubstr("--set model.dim: a trained model's parameters are fixed"));
}

TEST(PredictUnknownWords, GetTheTrainingRowsShares) {
  const Outcome outcome =
      predict_named({"--format", "jsonl", "--top", "2", "--logits"}, "xyzzy plugh\nrain xyzzy\n");
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const std::vector<std::string> lines = lines_of(outcome.out);
  ASSERT_EQ(lines.size(), 2U);
  const auto unknown = nlohmann::json::parse(lines[0]);
  EXPECT_EQ(unknown["unknown_share"], 1);
  EXPECT_EQ(unknown["label"], "weather");
  // 30 rows of sport, 40 of weather, less those that validation got.
  const auto facts = nlohmann::json::parse(
      read_file(named_workspace().path() / "named/checkpoints/best/data.json"));
  const double sport = facts["class_rows"][0], weather = facts["class_rows"][1];
  EXPECT_NEAR(unknown["probability"].get<double>(), weather / (sport + weather), 1e-5);
  EXPECT_EQ(nlohmann::json::parse(lines[1])["unknown_share"], 0.5);
  EXPECT_THAT(outcome.err,
              HasSubstr("75 % of the texts' words are not in the model's vocabulary; "
                        "1 of 2 texts hold no other and are answered with the training "
                        "rows' class shares"));
}

TEST(PredictLongTexts, AreCountedAndTold) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += "rain ";
  const Outcome outcome = predict_named({}, text + "\nrain\n");
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("1 of 2 texts (50 %) are longer than tokenizer.max_tokens = "
                                     "256"));
}

}  // namespace
}  // namespace diffuse::testing
