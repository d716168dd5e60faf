#pragma once

#include <filesystem>
#include <optional>

#include "diffuse/model/model_factory.hpp"
#include "diffuse/train/trainer.hpp"
#include "training_fixture.hpp"

// Runs that are stopped and gone on with.

namespace diffuse::testing {

// 12 batches an epoch: an even number, so that accumulated ones come out whole.
inline TrainingData even_epochs() {
  return training_data(separable_rows(192, 3, 1), separable_rows(60, 3, 2), {"a", "b", "c"});
}

/// A run with everything that has a state: noise, dropout, warm-up and decay, sorted batches.
inline Config full_run() {
  Config config = short_run();
  config.model.dim = 8;
  config.model.noise_std = 0.1;
  config.train.length = "30u";
  config.train.schedule = Schedule::cosine;
  config.train.learning_rate = 0.01;
  config.train.warmup = "5u";
  config.train.evaluate_every = "8u";
  config.train.keep_checkpoints = 100;
  return config;
}

/// Of so few rows that some pairs share one and most come again.
inline void add_bigrams(Config& config) {
  config.model.bigram_buckets = 500;
  config.train.adversarial = 0.05;
}

inline TrainingResult train_in(const Config& config, const std::filesystem::path& dir,
                               const std::optional<std::filesystem::path>& from = {}) {
  const auto classifier = make_classifier(config, {256 + 8, 3, 0}, config.train.seed);
  return train(config, even_epochs(), *classifier, dir, from);
}

}  // namespace diffuse::testing
