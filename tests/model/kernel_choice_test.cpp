// Which models the fused kernel runs, and the whole list of what falls back to tensor operations.

#include "diffuse/model/kernel_choice.hpp"

#include <ATen/ops/cross_entropy_loss.h>
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "config/enum_names.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/ops/dispatched/operation_checks.hpp"
#include "support.hpp"
#include "support/fake_classifier.hpp"
#include "support/message_of.hpp"

namespace diffuse {
namespace {

using ::testing::HasSubstr;
using testing::kShape;
using testing::message_of;
using testing::Sequences;
using testing::small_config;

const Sequences kShortAndLong = {{1, 4, 4, 9, 3, 2, 17, 5, 6}, {3}, {0, 19, 5}};

std::string name_of(const ModelConfig& config) {
  return fmt::format("{} {} norm {} {} base {} radius {} dilation {} {} pooling {}",
                     enum_name(config.function), enum_name(config.weight), enum_name(config.norm),
                     enum_name(config.activation), enum_name(config.base), config.radius,
                     config.dilation.back(), config.share_weights ? "shared" : "per step",
                     enum_name(config.pooling));
}

/// Fused in evaluation and training, with the reference's figures.
void expect_fused(const ModelConfig& config) {
  DiffusionClassifier model(config, kShape, 1);
  const Batch batch = testing::batch_of(kShortAndLong);
  const at::Tensor expected = testing::evaluate(model, kShortAndLong);
  const double loss = at::cross_entropy_loss(expected, batch.labels).item<double>();
  model.use_kernel(Kernel::automatic, Precision::fp32);
  ASSERT_TRUE(model.is_fused()) << name_of(config);
  ASSERT_TRUE(testing::evaluate(model, kShortAndLong).allclose(expected, 1e-4, 1e-5))
      << name_of(config);
  const auto figures = model.train_pass(batch, {.training = true}, {.weight = 1.0 / 3});
  ASSERT_NEAR(figures.value().loss, loss, 1e-4 * (1 + loss)) << name_of(config);
}

/// Every value of `Enum`, those that are yet to come too.
template <class Enum>
std::vector<Enum> every() {
  std::vector<Enum> values;
  for (std::size_t i = 0; i < enum_names<Enum>().size(); ++i)
    values.push_back(static_cast<Enum>(i));
  return values;
}

/// Every combination of the kinds.
template <class Call>
void for_all_kinds(const Call& call) {
  ModelConfig config = small_config();
  config.dim = 5;
  config.hidden_dim = 7;
  for (const auto function : every<FunctionKind>())
    for (const auto weight : every<WeightKind>())
      for (const auto norm : every<NormPosition>())
        for (const auto activation : every<Activation>())
          for (const auto base : every<BaseState>())
            for (const auto pooling : every<Pooling>())
              for (const bool share_weights : {false, true}) {
                config.function = function;
                config.weight = weight;
                config.norm = norm;
                config.activation = activation;
                config.base = base;
                config.pooling = pooling;
                config.share_weights = share_weights;
                call(config);
              }
}

TEST(KernelChoice, EveryCombinationOfKindsIsFused) {
  const OneThreadScope alone(true);  // thousands of small tensor operations
  for_all_kinds([](ModelConfig config) {
    for (const std::vector<std::int64_t>& dilation :
         {std::vector<std::int64_t>{1}, std::vector<std::int64_t>{1, 2}}) {
      config.dilation = dilation;
      config.radius = 2;
      expect_fused(config);
    }
    config.dilation = {1};
    config.radius = 1;
    expect_fused(config);
  });
}

TEST(KernelChoice, EveryOtherSettingOfAModelIsFused) {
  std::vector<ModelConfig> configs(14, small_config());
  configs[0].radius = 5;
  configs[0].weight = WeightKind::full;
  configs[1].radius = 0;
  configs[2].self_neighbour = false;
  configs[2].radius = 3;
  configs[3].alpha_learned = true;
  configs[4].alpha = 0;
  configs[5].alpha = 1;
  configs[6].weight_learned = false;
  configs[7].steps = 0;
  configs[8].steps = 9;
  configs[8].dilation = {1, 2, 4, 8, 16, 32, 64, 128, 256};
  configs[9].dim = 1;
  configs[10].dim = 300;
  configs[10].function = FunctionKind::glu;
  configs[11].head_hidden_dim = 0;
  configs[12].head_hidden_dim = 70;
  configs[13].alpha_learned = true;
  configs[13].base = BaseState::initial;
  configs[13].share_weights = true;
  for (const ModelConfig& config : configs) expect_fused(config);
}

TEST(KernelChoice, NoiseAndDropoutAreFused) {
  ModelConfig config = small_config();
  config.token_dropout = config.embedding_dropout = config.head_dropout = 0.3;
  config.noise_std = 0.5;
  config.noise_at_evaluation = true;
  DiffusionClassifier model(config, kShape, 1);
  model.use_kernel(Kernel::fused, Precision::fp32);
  EXPECT_TRUE(model.is_fused());
  EXPECT_TRUE(
      model.train_pass(testing::batch_of(kShortAndLong), {.training = true}, {}).has_value());
}

TEST(KernelChoice, EveryShippedDiffusionConfigAndTheDefaultsAreFused) {
  EXPECT_EQ(chosen_kernel(Config{}.train.kernel, Config{}.model.type, at::kCPU, Precision::fp32),
            Kernel::fused);
  expect_fused([] {
    ModelConfig defaults;
    defaults.token_dropout = defaults.embedding_dropout = defaults.head_dropout = 0;
    return defaults;
  }());
  const auto folder = std::filesystem::path(DIFFUSE_SOURCE_DIR) / "configs";
  // Packed for another machine there are no sources.
  if (!std::filesystem::exists(folder) || std::filesystem::is_empty(folder)) return;
  std::vector<std::string> others;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".json") continue;
    Config config = load_config(entry.path(), {});
    const auto precision =
        config.train.precision == Precision::automatic ? Precision::fp32 : config.train.precision;
    if (chosen_kernel(config.train.kernel, config.model.type, at::kCPU, precision) !=
        Kernel::fused) {
      others.push_back(entry.path().filename().string());
      continue;
    }
    ModelConfig& model = config.model;
    model.token_dropout = model.embedding_dropout = model.head_dropout = model.noise_std = 0;
    expect_fused(model);
  }
  std::sort(others.begin(), others.end());
  EXPECT_EQ(others, (std::vector<std::string>{"distilbert-agnews.json", "minilm-agnews.json"}));
}

/// All that falls back, and what train.kernel = fused says of it.
struct Fallback {
  const char* name;
  ModelType type;
  at::Device device;
  Precision precision;
  const char* problem;
};

constexpr const char* kOtherModel = "only a diffusion model has a fused kernel";
constexpr const char* kOtherDevice = "the fused kernel is for the CPU";
constexpr const char* kOtherPrecision = "the fused kernel computes in fp32 or bf16";

const std::vector<Fallback> kFallbacks = {
    {"fp16", ModelType::diffusion, at::kCPU, Precision::fp16, kOtherPrecision},
    {"GPU", ModelType::diffusion, at::kCUDA, Precision::fp32, kOtherDevice},
    {"GPU tf32", ModelType::diffusion, at::kCUDA, Precision::tf32, kOtherDevice},
    {"GPU bf16", ModelType::diffusion, at::kCUDA, Precision::bf16, kOtherDevice},
    {"GPU fp16", ModelType::diffusion, at::kCUDA, Precision::fp16, kOtherDevice},
    {"DistilBERT", ModelType::distilbert, at::kCPU, Precision::fp32, kOtherModel},
    {"TorchScript", ModelType::torchscript, at::kCPU, Precision::fp32, kOtherModel},
};

TEST(KernelChoice, WhatFallsBackIsRefusedWhereFusedIsAskedFor) {
  for (const Fallback& one : kFallbacks) {
    EXPECT_NE(chosen_kernel(Kernel::automatic, one.type, one.device, one.precision), Kernel::fused)
        << one.name;
    EXPECT_EQ(chosen_kernel(Kernel::reference, one.type, one.device, one.precision),
              Kernel::reference)
        << one.name;
    EXPECT_EQ(
        message_of<ConfigError>(
            [&] { chosen_kernel(Kernel::fused, one.type, one.device, one.precision); }),
        fmt::format("train.kernel = fused cannot be had here: {}. Set it to 'auto'.", one.problem))
        << one.name;
  }
  for (const Kernel kernel : {Kernel::automatic, Kernel::fused})
    for (const Precision precision : {Precision::fp32, Precision::bf16})
      EXPECT_EQ(chosen_kernel(kernel, ModelType::diffusion, at::kCPU, precision), Kernel::fused);
}

TEST(KernelChoice, OperationsAreForDiffusionModelsInEveryPrecision) {
  for (const Precision precision : {Precision::fp32, Precision::bf16, Precision::fp16})
    EXPECT_EQ(chosen_kernel(Kernel::operations, ModelType::diffusion, at::kCPU, precision),
              Kernel::operations);
  EXPECT_EQ(message_of<ConfigError>([] {
              chosen_kernel(Kernel::operations, ModelType::distilbert, at::kCPU, Precision::fp32);
            }),
            "train.kernel = operations cannot be had here: only a diffusion model has operations "
            "of its own. Set it to 'auto'.");
}

TEST(KernelChoice, ADeviceWhoseOperationsDoNotWorkGetsTheReference) {
  const at::Device device(at::kCUDA, 0);  // there may be none
  EXPECT_EQ(chosen_kernel(Kernel::automatic, ModelType::diffusion, device, Precision::fp32),
            operations_problem(device).empty() ? Kernel::operations : Kernel::reference);
}

TEST(KernelChoice, ModelsHeedIt) {
  DiffusionClassifier model(small_config(), kShape, 1);
  model.use_kernel(Kernel::automatic, Precision::bf16);
  EXPECT_TRUE(model.is_fused());
  model.use_kernel(Kernel::automatic, Precision::fp16);
  EXPECT_FALSE(model.is_fused());
  EXPECT_THAT(message_of<ConfigError>([&] { model.use_kernel(Kernel::fused, Precision::fp16); }),
              HasSubstr(kOtherPrecision));
  model.use_kernel(Kernel::reference, Precision::fp32);
  EXPECT_FALSE(model.is_fused());
  testing::FakeClassifier other(5, 2);
  other.use_kernel(Kernel::automatic, Precision::fp32);
  EXPECT_FALSE(other.is_fused());
  EXPECT_THAT(message_of<ConfigError>([&] { other.use_kernel(Kernel::fused, Precision::fp32); }),
              HasSubstr(kOtherModel));
}

}  // namespace
}  // namespace diffuse
