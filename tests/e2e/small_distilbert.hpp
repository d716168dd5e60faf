#pragma once

#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "e2e/fixtures.hpp"

namespace diffuse::testing {

/// The program finds its baseline's config in this folder, with `sections` at its end. kSmallBert
/// is for those alone who ask for BERT: to others it is warned of as without effect.
inline Launch with_small_baseline(const Workspace& workspace, std::vector<std::string> arguments,
                                  const std::string& sections = "") {
  std::filesystem::create_directories(workspace.path() / "configs");
  std::filesystem::copy_file(
      std::filesystem::path(DIFFUSE_SOURCE_DIR) / "data/bert-base-uncased/vocab.txt",
      workspace.path() / "configs/vocab.txt", std::filesystem::copy_options::skip_existing);
  workspace.write("configs/distilbert-agnews.json", R"({
    "tokenizer": {"type": "wordpiece", "vocab": "vocab.txt", "special_tokens": true, "max_tokens": 32},
    "model": {"type": "distilbert"},
    "distilbert": {"dim": 16, "layers": 2, "heads": 2, "hidden_dim": 32, "max_positions": 64,
                   "init_std": 0.3, "dropout": 0},
    "train": {"ema_decay": 0})" + sections + "}");
  Launch launch = workspace.launch(std::move(arguments));
  launch.environment.emplace_back("DIFFUSE_CONFIGS", (workspace.path() / "configs").string());
  return launch;
}

/// `bench` of small.json on one thread, with `more`.
inline std::vector<std::string> quick(std::vector<std::string> more) {
  std::vector<std::string> arguments = {"bench",     "--config", "small.json", "--batch-size", "4",
                                        "--threads", "1",        "--device",   "cpu"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

/// The report, as JSON, of a `bench` of two cases that gets Ctrl-C once its log says that the
/// second one, `text`, has begun.
inline nlohmann::json report_stopped_in(Launch launch, const std::string& text) {
  launch.arguments.insert(launch.arguments.begin(), {"--log-level", "info"});
  Process process(launch);
  EXPECT_TRUE(process.wait_for_stderr(text));
  process.signal(SIGINT);
  const Outcome outcome = process.wait();
  EXPECT_EQ(outcome.exit_code, 130) << outcome;
  EXPECT_THAT(outcome.err,
              ::testing::HasSubstr("Stopped by SIGINT; the report holds 1 of 2 cases"));
  return nlohmann::json::parse(outcome.out);
}

/// A section of with_small_baseline: the published BERT takes gigabytes.
inline constexpr const char* kSmallBert = R"(,
    "bert": {"dim": 16, "layers": 2, "heads": 2, "hidden_dim": 32, "max_positions": 64})";

/// A Hugging Face folder: a classifier of transformers of `type`, "distilbert" or "bert", two
/// layers of 16, and a vocabulary for it.
inline void write_pretrained(const Workspace& workspace, const std::string& name,
                             const std::string& type = "distilbert") {
  const std::filesystem::path fixture =
      std::filesystem::path(DIFFUSE_SOURCE_DIR) / "tests/model/fixtures" / type;
  std::filesystem::create_directories(workspace.path() / name);
  for (const char* file : {"config.json", "model.safetensors"})
    std::filesystem::copy_file(fixture / file, workspace.path() / name / file);
  std::string vocab = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\nmatch\ngoal\nrain\nstorm\n";
  for (int i = 0; i < 30; ++i) vocab += "word" + std::to_string(i) + "\n";
  workspace.write(name + "/vocab.txt", vocab);
}

}  // namespace diffuse::testing
