// The memory estimate against what a process really takes. Each measurement runs in a process of
// its own: a peak never falls.

#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "diffuse/base/child_process.hpp"
#include "diffuse/base/random.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/model/kernel_choice.hpp"
#include "diffuse/model/model_factory.hpp"
#include "diffuse/train/memory_estimate.hpp"
#include "diffuse/train/trainer.hpp"
#include "support/temp_dir.hpp"
#include "train/training_fixture.hpp"

namespace diffuse {
namespace {

constexpr std::int64_t kVocabulary = 256 + 8;  // of bytes

struct Size {
  const char* name;
  std::int64_t dim;
  std::int64_t steps;
  std::int64_t batch_size;
  std::int64_t tokens;  // of each row
  std::int64_t classes;
  std::int64_t rows;  // of the training data, and of the validation data
  Precision precision;
  Kernel kernel = Kernel::automatic;
  std::int64_t bigram_buckets = 0;
  double adversarial = 0;
  ModelType model = ModelType::diffusion;
};

// Where activations, weights and optimizer, a batch's logits, and the figures of many rows of many
// classes decide.
constexpr Size kSizes[] = {
    {"activations", 128, 6, 32, 256, 4, 128, Precision::fp32, Kernel::reference},
    {"batch", 256, 1, 1024, 64, 4, 1024, Precision::fp32},
    {"activations_bf16", 128, 6, 32, 256, 4, 128, Precision::bf16, Kernel::reference},
    {"weights", 1536, 2, 2, 16, 4, 8, Precision::fp32},
    {"logits", 64, 1, 512, 2, 8000, 512, Precision::fp32},
    {"evaluation", 8, 1, 16, 8, 8000, 4000, Precision::fp32},
    {"bigrams", 64, 1, 64, 64, 4, 128, Precision::fp32, Kernel::automatic, 200'000},
    {"adversarial", 256, 1, 1024, 64, 4, 1024, Precision::fp32, Kernel::automatic, 0, 0.05},
    {"operations", 128, 6, 32, 256, 4, 128, Precision::fp32, Kernel::operations},
    {"operations_bf16", 128, 6, 32, 256, 4, 128, Precision::bf16, Kernel::operations},
    {"operations_adversarial", 128, 2, 128, 256, 4, 256, Precision::fp32, Kernel::operations, 1000,
     0.05},
    {"both_by_autograd", 128, 2, 128, 256, 4, 256, Precision::fp32, Kernel::reference, 1000, 0.05},
    {"transformer", 64, 3, 8, 512, 4, 16, Precision::fp32, Kernel::automatic, 0, 0,
     ModelType::transformer},
    {"linformer", 32, 3, 8, 512, 4, 16, Precision::fp32, Kernel::automatic, 0, 0,
     ModelType::linformer},
    {"performer", 64, 3, 8, 256, 4, 16, Precision::fp32, Kernel::automatic, 0, 0,
     ModelType::performer},
    {"mamba", 64, 2, 8, 256, 4, 16, Precision::fp32, Kernel::automatic, 0, 0, ModelType::mamba},
};

Config config_of(const Size& size) {
  Config config = testing::short_run();
  config.model.type = size.model;
  config.mixer.max_positions = 512;
  config.mixer.head_dim = 16;  // as the smallest model of a child wants it
  config.model.dim = size.dim;
  config.model.steps = size.steps;
  config.train.batch_size = size.batch_size;
  config.train.precision = size.precision;
  config.train.kernel = size.kernel;
  config.model.bigram_buckets = size.bigram_buckets;
  config.train.adversarial = size.adversarial;
  config.train.length = "3u";
  config.train.threads = 1;
  config.train.learning_rate = 1e-3;
  return config;
}

TrainingData data_of(const Size& size) {
  const auto rows = [&](std::uint64_t seed) {
    auto data = std::make_unique<EncodedDataset>();
    Random random(seed);
    for (std::int64_t row = 0; row < size.rows; ++row) {
      std::vector<std::int32_t> tokens;
      for (std::int64_t i = 0; i < size.tokens; ++i)
        tokens.push_back(static_cast<std::int32_t>(8 + random.below(256)));
      data->append(tokens, static_cast<std::int32_t>(row % size.classes),
                   static_cast<std::uint32_t>(row + 1));
    }
    return data;
  };
  std::vector<std::string> labels;
  for (std::int64_t i = 0; i < size.classes; ++i) labels.push_back(std::to_string(i));
  return testing::training_data(rows(1), rows(2), labels);
}

/// In the child: how much the peak of resident memory grows by.
TEST(DISABLED_MemoryChild, Trains) {
  tune_allocator();
  const Size& size = kSizes[std::atoi(std::getenv("DIFFUSE_TEST_SIZE"))];
  const Config config = config_of(size);
  const TrainingData data = data_of(size);
  const testing::TempDir dir;
  const auto once = [&](const Config& run, const TrainingData& rows, const char* name) {
    const auto classifier =
        make_classifier(run, {kVocabulary, rows.labels.size(), 0}, run.train.seed);
    std::filesystem::create_directories(dir.path() / name);
    train(run, rows, *classifier, dir.path() / name);
  };
  {  // what the libraries take for themselves, and is no part of the estimate
    Size small = size;
    small.dim = 8;
    small.classes = 4;
    small.tokens = 8;
    small.rows = 8;
    Config run = config_of(small);
    once(run, data_of(small), "small");
  }
  malloc_trim(0);
  reset_peak_rss();
  const std::int64_t before = current_rss_bytes();
  once(config, data, "measured");
  std::ofstream(std::getenv("DIFFUSE_TEST_ANSWER")) << peak_rss_bytes() - before;
}

class MeasuredMemory : public ::testing::TestWithParam<int> {};

TEST_P(MeasuredMemory, IsNearTheEstimate) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer's shadow memory is measured, too";
#endif
  const Size& size = kSizes[GetParam()];
  const TrainingData data = data_of(size);
  const Config config = config_of(size);
  const auto parameters = count_parameters(config, {kVocabulary, data.labels.size(), 0}).value();
  const MemoryEstimate estimate =
      estimate_memory(config, size.precision, parameters, data.train,
                      {.classes = size.classes,
                       .evaluated_rows = static_cast<std::int64_t>(data.validation.size()),
                       .vocab_size = kVocabulary,
                       .kernel = chosen_kernel(size.kernel, size.model, at::kCPU, size.precision)});
  const testing::TempDir dir;
  const std::string answer = dir.path() / "bytes";
  ::setenv("DIFFUSE_TEST_SIZE", std::to_string(GetParam()).c_str(), 1);
  ::setenv("DIFFUSE_TEST_ANSWER", answer.c_str(), 1);
  const ChildOutcome outcome = run_child(
      own_program(),
      {"--gtest_also_run_disabled_tests", "--gtest_filter=DISABLED_MemoryChild.Trains"}, "");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.out;
  double measured = 0;
  std::ifstream(answer) >> measured;
  const double ratio = measured / static_cast<double>(estimate.total());
  RecordProperty("ratio", std::to_string(ratio));
  EXPECT_GT(ratio, 0.7) << measured << " bytes; " << describe(estimate);
  EXPECT_LT(ratio, 1.6) << measured << " bytes; " << describe(estimate);
}

INSTANTIATE_TEST_SUITE_P(All, MeasuredMemory,
                         ::testing::Range(0, static_cast<int>(std::size(kSizes))),
                         [](const auto& suite) { return std::string(kSizes[suite.param].name); });

}  // namespace
}  // namespace diffuse
