// Every kernel trains the same model, and goes on with what another one has begun.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>
#include <utility>

#include "diffuse/base/error.hpp"
#include "diffuse/base/safetensors.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/device/device.hpp"
#include "resumed_run.hpp"
#include "support/temp_dir.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;
using testing::add_bigrams;
using testing::full_run;
using testing::TempDir;
using testing::train_in;

/// As the optimizer counts the embedding's.
float updates_counted(const fs::path& checkpoint) {
  const SafetensorsFile file = SafetensorsFile::read(checkpoint / "optimizer.safetensors");
  float count = 0;
  std::memcpy(&count, file.tensors().at("step.embedding").bytes.data(), sizeof count);
  return count;
}

/// The largest difference between two models' weights.
double weight_difference(const fs::path& a, const fs::path& b) {
  const SafetensorsFile first = SafetensorsFile::read(a / "model.safetensors");
  const SafetensorsFile second = SafetensorsFile::read(b / "model.safetensors");
  double largest = 0;
  for (const auto& [name, view] : first.tensors()) {
    const std::span<const std::byte> other = second.tensors().at(name).bytes;
    for (std::size_t at = 0; at < view.bytes.size(); at += sizeof(float)) {
      float x = 0;
      float y = 0;
      std::memcpy(&x, view.bytes.data() + at, sizeof(float));
      std::memcpy(&y, other.data() + at, sizeof(float));
      largest = std::max(largest, std::abs(static_cast<double>(x) - static_cast<double>(y)));
    }
  }
  return largest;
}

/// A run without random numbers, so that every kernel makes the same.
Config certain_run() {
  Config config = full_run();
  config.model.noise_std = 0;
  config.model.token_dropout = config.model.embedding_dropout = config.model.head_dropout = 0;
  config.train.ema_decay = 0.9;
  return config;
}

TEST(ResumeKernel, EveryKernelAndUpdateOfTheEmbeddingTrainsTheSameModel) {
  for (const bool bigrams : {false, true}) {
    Config config = certain_run();
    if (bigrams) add_bigrams(config);
    config.model.bigram_dropout = 0;
    const TempDir touched;
    train_in(config, touched.path());
    Config dense = config;
    dense.train.embedding_update = EmbeddingUpdate::dense;
    const TempDir dense_dir;
    train_in(dense, dense_dir.path());
    Config reference = dense;
    reference.train.kernel = Kernel::reference;
    const TempDir reference_dir;
    train_in(reference, reference_dir.path());
    EXPECT_LT(weight_difference(reference_dir.path() / "checkpoints/000030",
                                dense_dir.path() / "checkpoints/000030"),
              1e-4);
    EXPECT_LT(weight_difference(reference_dir.path() / "checkpoints/000030",
                                touched.path() / "checkpoints/000030"),
              3e-3)
        << "the averages differ a little";
  }
}

TEST(ResumeKernel, AnotherKernelGoesOnWithTheRowsWhereTheyWouldBe) {
  Config start = certain_run();
  add_bigrams(start);
  start.model.bigram_dropout = 0;
  const TempDir whole;
  train_in(start, whole.path());
  using enum Kernel;
  for (const auto& [first, then] : {std::pair(reference, fused), std::pair(fused, reference),
                                    std::pair(fused, operations), std::pair(operations, fused)}) {
    const TempDir parts;
    Config config = start;
    config.train.kernel = first;
    config.train.max_updates = 16;
    train_in(config, parts.path());
    config.train.kernel = then;
    config.train.max_updates = 0;
    EXPECT_EQ(train_in(config, parts.path(), parts.path() / "checkpoints/last").updates, 30);
    EXPECT_LT(
        weight_difference(whole.path() / "checkpoints/000030", parts.path() / "checkpoints/000030"),
        3e-3)
        << enum_name(first) << " " << enum_name(then);
    // Both count the same updates, from which on the moments' bias is corrected.
    if (then == operations) {
      EXPECT_EQ(updates_counted(parts.path() / "checkpoints/000030"), 30.0F);
    }
  }
}

// On another device the rows stand there, and what each one has missed is made up for here.
TEST(ResumeKernel, ACpusRunGoesOnOnAGpu) {
  try {
    resolve_device("cuda");
  } catch (const Error& error) {
    GTEST_SKIP() << error.what();
  }
  const Config start = certain_run();
  const TempDir whole;
  train_in(start, whole.path());
  const TempDir parts;
  Config config = start;
  config.train.max_updates = 16;
  train_in(config, parts.path());
  config.train.max_updates = 0;
  config.train.device = "cuda";
  EXPECT_EQ(train_in(config, parts.path(), parts.path() / "checkpoints/last").updates, 30);
  EXPECT_LT(
      weight_difference(whole.path() / "checkpoints/000030", parts.path() / "checkpoints/000030"),
      3e-3);
}

}  // namespace
}  // namespace diffuse
