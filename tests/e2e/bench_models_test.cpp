// bench: the models that it compares, and what the report says of each.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "e2e/small_distilbert.hpp"

namespace diffuse::testing {
namespace {

using ::testing::HasSubstr;

namespace fs = std::filesystem;

TEST(BenchModels, PretrainedWeightsAreNamedWithTheirSizes) {
  const Workspace workspace;
  write_pretrained(workspace, "hf");
  const Outcome outcome = run(
      with_small_baseline(workspace, quick({"--seq-len", "8", "--mode", "inference", "--no-memory",
                                            "--format", "json", "--pretrained", "hf"})));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["models"][1]["weights"], "pretrained " + (workspace.path() / "hf").string());
  // 40 tokens and 24 positions of 16 with their norm, two layers, the head for three classes.
  constexpr int kLayer = 4 * (16 * 16 + 16) + 2 * 16 * 32 + 32 + 16 + 4 * 16;
  EXPECT_EQ(json["models"][1]["parameter_count"],
            (40 + 24) * 16 + 32 + 2 * kLayer + (16 * 16 + 16) + (16 * 3 + 3));

  // Their positions are as many as they are.
  const Outcome longer = run(with_small_baseline(
      workspace,
      quick({"--seq-len", "30", "--mode", "inference", "--no-memory", "--pretrained", "hf"})));
  EXPECT_EQ(longer.exit_code, 0) << longer;
  EXPECT_THAT(longer.out, HasSubstr("longer than its 24 positions"));

  // Texts are cut where these end, not where those of the published sizes do.
  std::string rows;
  for (int row = 0; row < 4; ++row) {
    rows += row % 2 == 0 ? "sport," : "money,";
    for (int word = 0; word < 30; ++word) rows += "a ";
    rows += "a\n";
  }
  workspace.write("long.csv", rows);
  const Outcome texts = run(with_small_baseline(
      workspace, quick({"--data", "long.csv", "--mode", "inference", "--no-memory", "--pretrained",
                        "hf", "--format", "json", "--set", "tokenizer.max_tokens=60"})));
  ASSERT_EQ(texts.exit_code, 0) << texts;
  const auto cut = nlohmann::json::parse(texts.out);
  const auto& measured = cut["cases"][0]["models"][1]["measurements"][0];
  ASSERT_TRUE(measured.contains("median_s")) << measured;
  EXPECT_LE(measured["tokens_per_call"].get<double>(),
            24 * measured["examples_per_call"].get<double>());

  fs::remove(workspace.path() / "hf/model.safetensors");
  const Outcome gone = run(with_small_baseline(workspace, quick({"--pretrained", "hf"})));
  EXPECT_EQ(gone.exit_code, 2) << gone;
  EXPECT_THAT(gone.err, HasSubstr("hf' has no model.safetensors"));
}

TEST(BenchModels, BertBeginsWithAFolderOfItsOwnKind) {
  const Workspace workspace;
  write_pretrained(workspace, "hf", "bert");
  const Outcome outcome = run(with_small_baseline(
      workspace, quick({"--compare", "bert", "--pretrained", "hf", "--seq-len", "8,30",
                        "--no-memory", "--precision", "fp32", "--format", "json"})));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["models"][1]["name"], "BERT");
  EXPECT_EQ(json["models"][1]["weights"], "pretrained " + (workspace.path() / "hf").string());
  // 40 tokens, 24 positions and two types of 16 with their norm, two layers, the pooler, the last
  // layer for three classes.
  constexpr int kLayer = 4 * (16 * 16 + 16) + 2 * 16 * 32 + 32 + 16 + 4 * 16;
  EXPECT_EQ(json["models"][1]["parameter_count"],
            (40 + 24 + 2) * 16 + 32 + 2 * kLayer + (16 * 16 + 16) + (16 * 3 + 3));
  ASSERT_EQ(json["cases"].size(), 4U);  // of both modes
  for (const auto& one : json["cases"]) {
    const auto& measured = one["models"][1]["measurements"][0];
    if (one["seq_len"] == 8)
      EXPECT_TRUE(measured.contains("median_s")) << one;
    else
      EXPECT_THAT(measured["not_run"].get<std::string>(),
                  HasSubstr("longer than its 24 positions"));
  }

  write_pretrained(workspace, "other");
  const Outcome other =
      run(with_small_baseline(workspace, quick({"--compare", "bert", "--pretrained", "other"})));
  EXPECT_EQ(other.exit_code, 2) << other;
  EXPECT_THAT(other.err, HasSubstr("model_type is \"distilbert\"; expected \"bert\""));
}

TEST(BenchModels, ATorchScriptFileRunsAsFarAsItCan) {
  const Workspace workspace;
  const fs::path file = fs::path(DIFFUSE_SOURCE_DIR) / "tests/model/fixtures/distilbert/traced.pt";
  const Outcome outcome = run(with_small_baseline(
      workspace, quick({"--compare", file.string(), "--seq-len", "8,40", "--mode", "train",
                        "--no-memory", "--precision", "fp32", "--format", "json"})));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["models"][1]["name"], "traced.pt");
  EXPECT_EQ(json["models"][1]["weights"], "of the file");
  ASSERT_EQ(json["cases"].size(), 2U);
  EXPECT_TRUE(json["cases"][0]["models"][1]["measurements"][0].contains("median_s"));
  EXPECT_THAT(json["cases"][1]["models"][1]["measurements"][0]["not_run"].get<std::string>(),
              HasSubstr("The TorchScript module failed"));
  EXPECT_TRUE(json["cases"][1]["models"][0]["measurements"][0].contains("median_s"))
      << "the other one's failure";
}

TEST(BenchModels, AnotherConfigWithTheVocabularyItAssumes) {
  const Workspace workspace;
  workspace.write("other.json", R"({"data": {"train": ""}, "model": {"dim": 8}})");
  const Outcome outcome = run(with_small_baseline(
      workspace, quick({"--compare", "other.json", "--seq-len", "8", "--mode", "inference",
                        "--no-memory", "--precision", "fp32", "--format", "json"})));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["models"][1]["name"], "other");
  EXPECT_THAT(json["remarks"].dump(),
              HasSubstr("other: no training file; a vocabulary of 40,000 words and 4 classes"));
}

/// run1 and run2, checkpoints of two seeds; both have a test file.
void train_two(const Workspace& workspace) {
  for (const char* seed : {"1", "2"})
    ASSERT_EQ(workspace
                  .run({"train", "--config", "small.json", "--set", "train.length=3u", "--set",
                        "train.warmup=0u", "--set", std::string("train.seed=") + seed, "--out",
                        std::string("run") + seed})
                  .exit_code,
              0);
}

TEST(BenchModels, TwoCheckpointsAlsoByTheirAccuracy) {
  const Workspace workspace;
  train_two(workspace);
  const Outcome outcome =
      workspace.run({"bench", "--checkpoint", "run1", "--compare", "run2", "--batch-size", "2",
                     "--seq-len", "4", "--mode", "inference", "--no-memory", "--format", "json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["models"][1]["accuracy"]["ours"],
            nlohmann::json::parse(read_file(workspace.path() / "run1/test.json"))["accuracy"]);
  EXPECT_EQ(json["models"][1]["accuracy"]["other"],
            nlohmann::json::parse(read_file(workspace.path() / "run2/test.json"))["accuracy"]);
  EXPECT_TRUE(json["models"][1]["accuracy"]["paired"].contains("mcnemar_p_value"));
  EXPECT_EQ(json["epoch_rows"], 210);  // of the file that they were trained on
}

TEST(BenchModels, CtrlCKeepsTheReportOfTwoCheckpointsToo) {
  const Workspace workspace;
  train_two(workspace);
  const auto json = report_stopped_in(
      workspace.launch({"bench", "--checkpoint", "run1", "--compare", "run2", "--batch-size", "4",
                        "--seq-len", "4,65536", "--mode", "train", "--no-memory", "--precision",
                        "fp32", "--budget", "100000", "--format", "json"}),
      "train 4 x 65536");
  ASSERT_EQ(json["cases"].size(), 1U);
  EXPECT_THAT(json["remarks"].dump(),
              HasSubstr("stopped before the checkpoints' answers were compared"));
  EXPECT_FALSE(json["models"][1].contains("accuracy"));
}

TEST(BenchModels, EveryRivalStandsInOneTable) {
  const Workspace workspace;
  const Outcome outcome = run(with_small_baseline(
      workspace,
      quick({"--compare", "distilbert,bert,transformer,linformer,performer,mamba", "--seq-len",
             "8,16", "--format", "json", "--precision", "fp32", "--output", "all.json"}),
      kSmallBert));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const auto json = nlohmann::json::parse(read_file(workspace.path() / "all.json"));
  const std::vector<std::pair<std::string, std::string>> names_and_kernels = {
      {"small", "fused"},
      {"DistilBERT", "TorchScript"},
      {"BERT", "SDPA"},
      {"transformer", "SDPA"},
      {"Linformer", "SDPA"},
      {"Performer", "tensor operations"},
      {"Mamba-2", "tensor operations"}};
  ASSERT_EQ(json["models"].size(), names_and_kernels.size());
  for (std::size_t i = 0; i < names_and_kernels.size(); ++i) {
    const auto& [name, kernel] = names_and_kernels[i];
    EXPECT_EQ(json["models"][i]["name"], name);
    for (const auto& one : json["cases"]) {
      const auto& measured = one["models"][i]["measurements"][0];
      EXPECT_TRUE(measured.contains("median_s")) << name << one;
      EXPECT_EQ(measured["kernel"], kernel) << name;
    }
  }
  // As wide and deep as the model itself.
  EXPECT_THAT(json["models"][3]["kind"].get<std::string>(), HasSubstr("dim 16, 2 blocks"));

  for (const auto& [format, part] :
       {std::pair{"md", "# small against 6 models"}, std::pair{"md", "| BERT | fp32 | SDPA |"},
        std::pair{"csv", "train,4,16,cpu,1,Performer"}, std::pair{"csv", ",fp32,TorchScript,"},
        std::pair{"html", "<th scope=\"row\">Mamba-2</th>"},
        std::pair{"html", ">tensor operations</td>"}}) {
    const Outcome shown = workspace.run({"bench", "--from", "all.json", "--format", format});
    ASSERT_EQ(shown.exit_code, 0) << shown;
    EXPECT_THAT(shown.out, HasSubstr(part));
  }
  const Outcome same = workspace.run({"bench", "--from", "all.json", "--format", "json"});
  EXPECT_EQ(same.out, read_file(workspace.path() / "all.json"));
}

}  // namespace
}  // namespace diffuse::testing
