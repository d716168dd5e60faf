#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "diffuse/base/files.hpp"
#include "diffuse/base/random.hpp"
#include "diffuse/data/loading.hpp"

namespace diffuse::testing {

constexpr std::int64_t kVocabSize = 32;

/// `count` rows of 4 to 9 tokens: two of the label's own, the rest common to all labels.
inline std::unique_ptr<EncodedDataset> separable_rows(std::size_t count, std::int32_t class_count,
                                                      std::uint64_t seed) {
  auto data = std::make_unique<EncodedDataset>();
  Random random(seed);
  for (std::size_t row = 0; row < count; ++row) {
    const auto label = static_cast<std::int32_t>(row % static_cast<std::size_t>(class_count));
    std::vector<std::int32_t> tokens = {label, label};
    const std::uint64_t common = 2 + random.below(6);
    for (std::uint64_t i = 0; i < common; ++i)
      tokens.push_back(static_cast<std::int32_t>(10 + random.below(kVocabSize - 10)));
    data->append(tokens, label, static_cast<std::uint32_t>(row + 1));
  }
  return data;
}

/// Training data made of `train` and, where it is not null, `validation`.
inline TrainingData training_data(std::unique_ptr<EncodedDataset> train,
                                  std::unique_ptr<EncodedDataset> validation,
                                  std::vector<std::string> labels) {
  TrainingData data;
  TokenizerConfig tokenizer;
  tokenizer.type = TokenizerType::bytes;
  data.tokenizer = load_tokenizer(tokenizer, "");
  data.labels = Labels(std::move(labels));
  data.train_file = std::move(train);
  data.train = view_all(*data.train_file);
  data.validation_file = std::move(validation);
  if (data.validation_file) data.validation = view_all(*data.validation_file);
  return data;
}

/// A short run on the CPU: three epochs, a constant rate, no smoothing, no average.
inline Config short_run() {
  Config config;
  config.tokenizer.type = TokenizerType::bytes;
  config.train.device = "cpu";
  config.train.length = "3e";
  config.train.batch_size = 16;
  config.train.learning_rate = 0.1;
  config.train.schedule = Schedule::constant;
  config.train.warmup = "0u";
  config.train.label_smoothing = 0;
  config.train.ema_decay = 0;
  config.train.log_every = 5;
  return config;
}

/// Rows of three classes for `short_run`: 13 updates an epoch, twelve of 16 rows and one of 8.
inline TrainingData three_classes() {
  return training_data(separable_rows(200, 3, 1), separable_rows(60, 3, 2), {"a", "b", "c"});
}

/// Validation rows with the other label: every update makes it worse.
inline TrainingData contrary_validation() {
  auto validation = std::make_unique<EncodedDataset>();
  for (std::int32_t label : {0, 1})
    validation->append(std::vector<std::int32_t>{label, label}, 1 - label, 1);
  return training_data(separable_rows(64, 2, 1), std::move(validation), {"a", "b"});
}

/// Names in the run's folder `checkpoints`, sorted.
inline std::vector<std::string> checkpoint_names(const std::filesystem::path& run_dir) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(run_dir / "checkpoints"))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

/// The objects of `metrics.jsonl` whose type is `type`.
inline std::vector<nlohmann::json> metrics_lines(const std::filesystem::path& run_dir,
                                                 const std::string& type) {
  std::istringstream lines(read_file(run_dir / "metrics.jsonl"));
  std::vector<nlohmann::json> found;
  for (std::string line; std::getline(lines, line);) {
    nlohmann::json json = nlohmann::json::parse(line);
    if (json.at("type") == type) found.push_back(std::move(json));
  }
  return found;
}

}  // namespace diffuse::testing
