#include "diffuse/bench/comparison_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "diffuse/base/error.hpp"
#include "diffuse/bench/workload.hpp"
#include "support/message_of.hpp"

namespace diffuse {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

Measurement measured(const std::string& precision, std::vector<double> samples_s,
                     std::int64_t memory_bytes, const std::string& kernel = "") {
  Measurement m;
  m.precision = precision;
  m.kernel = kernel;
  m.samples_s = std::move(samples_s);
  m.warm_up_calls = 10;
  m.tokens_a_call = 2048;
  m.examples_a_call = 32;
  m.flops_a_call = 2e9;
  m.memory.emplace().rss_growth_bytes = memory_bytes;
  return m;
}

Comparison sample() {
  Comparison comparison;
  comparison.models = {{"agnews", "attention-free diffusion, dim 64, 2 steps", "random", 2'600'000},
                       {"DistilBERT", "transformer (TorchScript)", "random", 66'956'548}};
  CaseResult first;
  first.which = {BenchMode::train, 32, 64, "cpu", 2};
  first.models.resize(2);
  first.models[0].measurements = {measured("fp32", {0.010, 0.010, 0.013}, 100'000'000, "fused")};
  first.models[1].measurements = {
      measured("fp32", {4, 4.4, 4.8}, 3'900'000'000),
      measured("bf16", {1.0, 1.1, 1.2}, 2'100'000'000, "flash, unpadded")};
  CaseResult second;
  second.which = {BenchMode::train, 32, 512, "cpu", 2};
  second.models.resize(2);
  second.models[0].measurements = {measured("fp32", {0.1}, 400'000'000)};
  Measurement refused;
  refused.precision = "bf16";
  refused.not_run = "about 43s a call, 2m 52s in all, beyond --budget 60";
  second.models[1].measurements = {refused};
  first.models[1].tried = {{Precision::fp32, 4.4, true, 16, 64},
                           {Precision::bf16, 1.1, false, 32, 64}};
  second.models[0].tried = {{Precision::fp32, 0.1, false, 32, 512},
                            {Precision::bf16, 0.2, false, 32, 512}};
  second.models[1].tried = {{Precision::fp32, std::nullopt, false, 0, 0},
                            {Precision::bf16, 43, true, 2, 512}};
  comparison.cases = {first, second};
  comparison.epoch_rows = 3200;
  comparison.environment = {{"processor", "a | b"}};
  comparison.elapsed_s = 100;
  return comparison;
}

TEST(Ratios, AreThoseOfTheBestPrecisionWithTheirDeviation) {
  const Comparison comparison = sample();
  const auto time = time_ratio(comparison.cases[0].models[0], comparison.cases[0].models[1]);
  ASSERT_TRUE(time.has_value());
  EXPECT_NEAR(time->value, 1.1 / 0.011, 1e-9);
  EXPECT_NEAR(time->deviation, 100 * std::hypot(std::sqrt(3e-6) / 0.011, 0.1 / 1.1), 1e-9);
  EXPECT_NEAR(*memory_ratio(comparison.cases[0].models[0], comparison.cases[0].models[1]), 21,
              1e-9);
  EXPECT_FALSE(
      time_ratio(comparison.cases[1].models[0], comparison.cases[1].models[1]).has_value());
  EXPECT_FALSE(
      memory_ratio(comparison.cases[1].models[0], comparison.cases[1].models[1]).has_value());
}

TEST(Ratios, AreOfAnExample) {
  CaseResult result = sample().cases[0];
  result.models[1].measurements[1].examples_a_call = 16;
  EXPECT_NEAR(time_ratio(result.models[0], result.models[1])->value, 200, 1e-9);
}

TEST(Ratios, MemoryThatRanOutIsNone) {
  CaseResult result = sample().cases[0];
  for (Measurement& m : result.models[1].measurements)
    m.memory.emplace().out_of_memory = "tried to allocate 20 GB";
  EXPECT_FALSE(memory_ratio(result.models[0], result.models[1]).has_value());
}

TEST(ComparisonReport, MarkdownHasTablesRemarksAndASentence) {
  const std::string text = comparison_markdown(sample());
  EXPECT_THAT(
      text,
      AllOf(HasSubstr("# agnews against DistilBERT"),
            HasSubstr("| DistilBERT | transformer (TorchScript) | random | 66,956,548 |"),
            HasSubstr("| train 32 x 64 | DistilBERT | bf16 | flash, unpadded | 1.10 s | 1.10 s ± "
                      "100 ms | 1.19 s | 1,862 | 29 | 2.1 GB | 0.977 M | 1.82 G | 1m 50s |  |"),
            HasSubstr("| train 32 x 64 | agnews | fp32 | fused | 10.0 ms |"),
            HasSubstr("| FLOP/s | epoch of 3,200 rows | why not run |"),
            HasSubstr("|  |  | about 43s a call"),
            HasSubstr("| train 32 x 64 | DistilBERT | 100 ± "), HasSubstr("| 21.0 |"),
            HasSubstr("not run"), HasSubstr("beyond --budget 60"),
            HasSubstr("speed and memory only"), HasSubstr("processor: a | b")));
  EXPECT_THAT(text,
              HasSubstr("On this machine (CPU, 2 threads) a training step of 32 texts of 64 "
                        "tokens takes agnews 11.0 ms (fp32) and DistilBERT 1.10 s (bf16): 100 "
                        "± 18 times as long, with 21.0 times the memory."));
}

TEST(ComparisonReport, ColumnsThatWouldBeEmptyAreLeftOut) {
  Comparison comparison = sample();
  comparison.cases.pop_back();
  EXPECT_THAT(comparison_markdown(comparison),
              AllOf(HasSubstr("| epoch of 3,200 rows |\n"), Not(HasSubstr("why not run"))));
  comparison.epoch_rows = 0;
  EXPECT_THAT(comparison_markdown(comparison),
              AllOf(HasSubstr("| FLOP/s |\n"), Not(HasSubstr("epoch of"))));
}

TEST(ComparisonReport, CsvHasALineForEachMeasurement) {
  std::istringstream lines(comparison_csv(sample()));
  std::vector<std::string> rows;
  for (std::string line; std::getline(lines, line);) rows.push_back(line);
  ASSERT_EQ(rows.size(), 6U);
  const auto commas = [](const std::string& row) {
    bool quoted = false;
    std::int64_t count = 0;
    for (const char letter : row) {
      if (letter == '"') quoted = !quoted;
      if (letter == ',' && !quoted) ++count;
    }
    return count;
  };
  for (const std::string& row : rows) EXPECT_EQ(commas(row), 26) << row;
  EXPECT_THAT(
      rows[3],
      AllOf(HasSubstr("train,32,64,cpu,2,DistilBERT,66956548,bf16,\"flash, unpadded\",3,1.1,1.1,"),
            HasSubstr(",976562.5,"), HasSubstr(",100,18.18"), HasSubstr(",21,")));
  EXPECT_THAT(rows[5], HasSubstr("\"about 43s a call, 2m 52s in all, beyond --budget 60\""));
}

TEST(ComparisonReport, SaysWhatWasTriedAndWhatEachTook) {
  const Comparison comparison = sample();
  EXPECT_THAT(
      comparison_markdown(comparison),
      AllOf(HasSubstr("| precision tried | model | fp32 | bf16 |\n"),
            HasSubstr("| train 32 x 64 | DistilBERT | about 4.40 s (from 16 x 64) | 1.10 s |\n"),
            HasSubstr("| train 32 x 512 | agnews | 100 ms (chosen) | 200 ms |\n"),
            HasSubstr("| train 32 x 512 | DistilBERT | failed | about 43.0 s (from 2 x 512) "
                      "(chosen) |\n"),
            Not(HasSubstr("train 32 x 64 | agnews | 10"))));
  EXPECT_THAT(comparison_html(comparison), HasSubstr("<td>about 4.40 s (from 16 x 64)</td>"));
  EXPECT_THAT(comparison_csv(comparison), HasSubstr(",fp32 100 ms; bf16 200 ms\n"));
  const auto json = nlohmann::json::parse(comparison_json(comparison));
  EXPECT_EQ(json["cases"][0]["models"][0]["tried"], nlohmann::json::array());
  EXPECT_EQ(json["cases"][0]["models"][1]["tried"][1],
            nlohmann::json::parse(R"({"precision": "bf16", "call_s": 1.1, "estimated": false,
                                      "texts": 32, "tokens": 64})"));
  EXPECT_TRUE(json["cases"][1]["models"][1]["tried"][0]["call_s"].is_null());
  Comparison none = comparison;
  for (CaseResult& result : none.cases)
    for (ModelResult& model : result.models) model.tried = {};
  EXPECT_THAT(comparison_markdown(none), Not(HasSubstr("precision tried")));
}

TEST(ComparisonReport, JsonKeepsEverySample) {
  const auto json = nlohmann::json::parse(comparison_json(sample()));
  EXPECT_EQ(json["cases"].size(), 2U);
  const auto& other = json["cases"][0]["models"][1]["measurements"];
  EXPECT_EQ(other[1]["samples_s"], nlohmann::json::parse("[1.0, 1.1, 1.2]"));
  EXPECT_EQ(other[1]["warm_up_calls"], 10);
  EXPECT_EQ(json["environment"]["processor"], "a | b");
  EXPECT_NEAR(json["cases"][0]["models"][1]["time_ratio"]["value"], 100, 1e-9);
  EXPECT_EQ(json["cases"][1]["models"][1]["measurements"][0]["not_run"],
            "about 43s a call, 2m 52s in all, beyond --budget 60");
  EXPECT_FALSE(json["cases"][1]["models"][1].contains("time_ratio"));
  EXPECT_EQ(json["models"][0]["weights"], "random");
}

TEST(ComparisonReport, HtmlIsWholeAndEscaped) {
  Comparison comparison = sample();
  comparison.models[1].name = "<script>";
  comparison.cases[1].models[1].measurements[0] = measured("bf16", {40.0}, 14'000'000'000);
  const std::string page = comparison_html(comparison);
  EXPECT_THAT(page, AllOf(HasSubstr("<!DOCTYPE html>"), HasSubstr("</html>"), HasSubstr("<svg"),
                          HasSubstr("tokens of a text"), Not(HasSubstr("<script>"))));
}

TEST(ComparisonReport, IsReadAgainFromItsJson) {
  Comparison comparison = sample();
  comparison.models[1].accuracy = PairedComparison{90, 4, 3, 3, 0.5};
  comparison.accuracy_source = comparison.text_source = "t.csv";
  comparison.warnings = {"busy"};
  comparison.cases[0].which.seq_len = 0;
  comparison.cases[0].models[1].measurements[0].memory->out_of_memory = "asked for 20 GB";
  const std::string json = comparison_json(comparison);
  const Comparison read = parse_comparison(json, "r.json");
  EXPECT_EQ(comparison_json(read), json);
  EXPECT_EQ(comparison_markdown(read), comparison_markdown(comparison));
  EXPECT_EQ(comparison_csv(read), comparison_csv(comparison));
  EXPECT_EQ(comparison_html(read), comparison_html(comparison));
}

TEST(ComparisonReport, JsonOfSomethingElseIsRefused) {
  const auto message = [](auto change) {
    auto json = nlohmann::json::parse(comparison_json(sample()));
    change(json);
    return testing::message_of<DataError>([&] { parse_comparison(json.dump(), "r.json"); });
  };
  using Json = nlohmann::json;
  EXPECT_THAT(message([](Json& j) { j.erase("cases"); }),
              HasSubstr("r.json: \"cases\" is no list; expected a report of diffuse bench"));
  EXPECT_THAT(message([](Json& j) { j["models"].erase(1); }),
              HasSubstr("r.json: 1 models; expected two at least."));
  EXPECT_THAT(message([](Json& j) { j["cases"][1]["models"].erase(0); }),
              HasSubstr("r.json: a case has 1 models, the report 2."));
  EXPECT_THAT(message([](Json& j) { j["cases"][0]["mode"] = "rest"; }),
              HasSubstr("r.json: cases 1: mode \"rest\"; expected train or inference."));
  EXPECT_THAT(message([](Json& j) { j["cases"][0]["models"][1]["tried"][0]["precision"] = "x"; }),
              HasSubstr("models 2: tried 1: precision \"x\"; expected fp32"));
  EXPECT_THAT(message([](Json& j) { j["models"][0] = 3; }), HasSubstr("models 1: expected an"));
}

TEST(ComparisonReport, SeveralModelsHaveALineEach) {
  Comparison comparison = sample();
  comparison.models.push_back({"Mamba-2", "Mamba-2, both directions", "random", 3'000'000});
  for (CaseResult& result : comparison.cases)
    result.models.push_back({.measurements = {measured("fp32", {0.2}, 300'000'000)}});
  EXPECT_THAT(comparison_markdown(comparison),
              AllOf(HasSubstr("# agnews against 2 models"),
                    HasSubstr("| case | model | time / agnews | peak memory |"),
                    HasSubstr("| train 32 x 512 | Mamba-2 | 2.00 ± 0.00 | 0.8 |"),
                    HasSubstr("no accuracy: agnews, DistilBERT, Mamba-2"),
                    HasSubstr("and Mamba-2 200 ms (fp32): 2.00"),
                    HasSubstr("and DistilBERT 1.10 s (bf16): 100")));
  EXPECT_EQ(comparison_sentences(comparison).size(), 2U);
}

TEST(ComparisonReport, ALineEndsWithTheReason) {
  Comparison comparison = sample();
  EXPECT_THAT(comparison_html(comparison),
              HasSubstr("<title>DistilBERT ends here\n512 tokens: about 43s a call"));
}

TEST(ComparisonReport, OutOfMemoryIsAResult) {
  Comparison comparison = sample();
  comparison.cases[0].models[1].measurements[0].memory.emplace().out_of_memory = "asked for 20 GB";
  EXPECT_THAT(comparison_markdown(comparison), HasSubstr("| out of memory |"));
  EXPECT_THAT(comparison_csv(comparison), HasSubstr("asked for 20 GB"));
}

TEST(Workload, SyntheticTextsHaveTheirLengthAndRange) {
  const ModelShape shape{50, 3, 0, 0};
  const Workload workload = synthetic_workload(shape, 5, 7, 1);
  EXPECT_EQ(workload.tokens_a_batch(), 35);
  EXPECT_EQ(workload.examples_a_batch(), 5);
  EXPECT_EQ(workload.lengths(0), (std::vector<std::int64_t>(5, 7)));
  for (const PackedRows& batch : workload.batches) {
    for (const std::int32_t token : batch.tokens()) {
      EXPECT_GE(token, 0);
      EXPECT_LT(token, 50);
    }
    for (const std::int64_t label : batch.labels()) EXPECT_LT(label, 3);
  }
  const auto tokens = [&](std::uint64_t seed) {
    const Workload made = synthetic_workload(shape, 5, 7, seed);
    const auto first = made.batches[0].tokens();
    return std::vector<std::int32_t>(first.begin(), first.end());
  };
  EXPECT_EQ(tokens(1), tokens(1));
  EXPECT_NE(tokens(1), tokens(2));
}

TEST(ContenderSpec, PassesThroughJson) {
  ContenderSpec spec;
  spec.name = "a \"b\"";
  spec.config.model.dim = 17;
  spec.shape = {30, 4, 2, 1};
  spec.checkpoint = "/x";
  const ContenderSpec read = ContenderSpec::from_json(spec.to_json(), "here");
  EXPECT_EQ(read.name, spec.name);
  EXPECT_EQ(read.config.model.dim, 17);
  EXPECT_EQ(read.shape.vocab_size, 30);
  EXPECT_EQ(read.shape.pad_id, 1);
  EXPECT_EQ(read.checkpoint, "/x");
  for (const char* bad : {"", "[]", "{}", "{\"config\": {}}"})
    EXPECT_THROW(ContenderSpec::from_json(bad, "here"), DataError) << bad;
}

}  // namespace
}  // namespace diffuse
