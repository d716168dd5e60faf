#include "e2e/fixtures.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

namespace diffuse::testing {
namespace {

namespace fs = std::filesystem;

struct Topic {
  const char* label;
  std::array<const char*, 4> words;
};

constexpr std::array<Topic, 3> kTopics = {
    Topic{"sport", {"match", "goal", "team", "coach"}},
    Topic{"money", {"bank", "shares", "profit", "market"}},
    Topic{"weather", {"rain", "storm", "sunny", "cloud"}},
};
constexpr std::array<const char*, 6> kFiller = {"the", "today", "about", "again", "some", "near"};

constexpr const char* kSmallConfig = R"({
  // Three easy classes, a second of training.
  "data": {"train": "train.csv", "test": "test.csv", "validation_fraction": 0.2},
  "tokenizer": {"min_count": 1},
  "model": {"dim": 16, "steps": 2},
  "train": {"length": "6e", "batch_size": 16, "warmup": "5u", "learning_rate": 0.02,
            "ema_decay": 0.9, "device": "cpu", "threads": 1}
})";

}  // namespace

std::string easy_csv(int rows, int first) {
  std::string csv;
  for (int i = first; i < first + rows; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const Topic& topic = kTopics[at % kTopics.size()];
    csv += topic.label;
    csv += ",\"";
    csv += kFiller[at / 3 % kFiller.size()];
    csv += ' ';
    csv += topic.words[at / 2 % topic.words.size()];
    csv += ", ";
    csv += kFiller[at / 5 % kFiller.size()];
    csv += ' ';
    csv += topic.words[at / 7 % topic.words.size()];
    csv += " number " + std::to_string(i % 17) + "\"\n";
  }
  return csv;
}

Workspace::Workspace() {
  write("train.csv", easy_csv(210));
  write("test.csv", easy_csv(60, 1000));
  write("small.json", kSmallConfig);
}

Launch Workspace::launch(std::vector<std::string> arguments, std::string input) const {
  Launch launch;
  launch.arguments = std::move(arguments);
  launch.input = std::move(input);
  launch.directory = path();
  launch.environment = {{"XDG_CACHE_HOME", (path() / "cache").string()}, {"OMP_NUM_THREADS", "1"}};
  return launch;
}

Outcome Workspace::run(std::vector<std::string> arguments, std::string input) const {
  return testing::run(launch(std::move(arguments), std::move(input)));
}

Outcome Workspace::stopped_at(const std::vector<std::string>& texts,
                              std::vector<std::string> arguments) const {
  Process process(launch(std::move(arguments)));
  for (const std::string& text : texts) EXPECT_TRUE(process.wait_for_stderr(text)) << text;
  process.signal(SIGTERM);
  Outcome stopped = process.wait();
  EXPECT_EQ(stopped.exit_code, 143) << stopped;
  return stopped;
}

const TrainedWorkspace& trained_workspace() {
  // Never freed by hand: a static object's destructor removes the folder when the program ends.
  static TrainedWorkspace trained;
  if (trained.training.exit_code < 0) {
    trained.training = trained.workspace.run({"train", "--config", "small.json"});
    if (trained.training.exit_code != 0) {
      throw std::runtime_error("the fixture's training failed: " + trained.training.err);
    }
  }
  return trained;
}

std::string read_file(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> small_run(const std::string& out, const std::vector<std::string>& more) {
  std::vector<std::string> arguments = {"train", "--config", "small.json", "--out", out};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

std::int64_t last_update(const fs::path& run) {
  return nlohmann::json::parse(read_file(run / "checkpoints/last/state.json"))
      .at("update")
      .get<std::int64_t>();
}

std::vector<std::string> tree(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    names.push_back(entry.path().lexically_relative(folder).string());  // links by their names
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace diffuse::testing
