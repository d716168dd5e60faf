// Training on each kind of device, in each precision.

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <tuple>

#include "diffuse/base/error.hpp"
#include "diffuse/base/safetensors.hpp"
#include "diffuse/data/sampler.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/model/model_factory.hpp"
#include "diffuse/train/trainer.hpp"
#include "support/temp_dir.hpp"
#include "training_fixture.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;
using testing::metrics_lines;
using testing::TempDir;

constexpr ModelShape kBytesShape = {256 + 8, 3, 0};

TrainingResult run_real_model(const Config& config, const fs::path& dir,
                              const std::optional<fs::path>& from = {}) {
  const auto classifier = make_classifier(config, kBytesShape, config.train.seed);
  return train(config, testing::three_classes(), *classifier, dir, from);
}

/// The mean loss of the first epoch by another way than the trainer's: every update's two batches
/// as one, and Adam as it stands in Kingma & Ba (2015), in float32 on the CPU.
double loss_by_hand(const Config& config) {
  const TrainConfig& train = config.train;
  const TrainingData data = testing::three_classes();
  const auto model = make_classifier(config, kBytesShape, train.seed);
  const ForwardContext context = {.training = true, .generator = make_generator(at::kCPU, 1)};
  std::vector<std::pair<at::Tensor, at::Tensor>> moments;
  for (const NamedParameter& p : model->parameters())
    moments.emplace_back(at::zeros_like(p.tensor), at::zeros_like(p.tensor));
  const auto batches = epoch_batches(
      data.train,
      {.batch_size = train.batch_size, .sort_window = train.sort_window, .seed = train.seed}, 0);
  double loss_sum = 0;
  int update = 0;
  for (std::size_t i = 0; i < batches.size(); i += 2) {
    std::vector<std::uint32_t> rows = batches[i];
    if (i + 1 < batches.size())
      rows.insert(rows.end(), batches[i + 1].begin(), batches[i + 1].end());
    const Batch batch = make_batch(pack_rows(*data.train.data, rows), at::kCPU);
    const at::Tensor loss = at::cross_entropy_loss(model->forward(batch, context), batch.labels);
    loss.backward();
    loss_sum += loss.item<double>() * static_cast<double>(rows.size());
    ++update;
    const at::NoGradGuard no_grad;
    auto moment = moments.begin();
    for (const NamedParameter& p : model->parameters()) {
      const at::Tensor gradient = p.tensor.grad();
      auto& [first, second] = *moment++;
      first.mul_(train.beta1).add_(gradient, 1 - train.beta1);
      second.mul_(train.beta2).add_(gradient.square(), 1 - train.beta2);
      const at::Tensor mean = first.div(1 - std::pow(train.beta1, update));
      const at::Tensor spread = second.div(1 - std::pow(train.beta2, update)).sqrt();
      at::Tensor(p.tensor).sub_(mean.div(spread.add(train.epsilon)), train.learning_rate);
      p.tensor.mutable_grad().reset();
    }
  }
  return loss_sum / static_cast<double>(data.train.size());
}

/// All of a checkpoint's tensors: weights, averages, moments, random numbers.
std::vector<std::pair<std::string, at::Tensor>> tensors_of(const fs::path& checkpoint) {
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const char* name : {"model.safetensors", "optimizer.safetensors"}) {
    const SafetensorsFile file = SafetensorsFile::read(checkpoint / name);
    for (const auto& [key, view] : file.tensors()) {
      const at::ScalarType type = view.dtype == DType::f32   ? at::kFloat
                                  : view.dtype == DType::f64 ? at::kDouble
                                  : view.dtype == DType::i32 ? at::kInt
                                                             : at::kByte;
      at::Tensor tensor = at::empty(view.shape, type);
      std::memcpy(tensor.data_ptr(), view.bytes.data(), view.bytes.size());
      tensors.emplace_back(std::string(name) + ": " + key, std::move(tensor));
    }
  }
  return tensors;
}

using DeviceCase = std::tuple<const char*, Precision>;

class TrainerOn : public ::testing::TestWithParam<DeviceCase> {
 protected:
  void SetUp() override {
    try {
      resolve_device(std::get<0>(GetParam()));
    } catch (const SystemError& error) {
      GTEST_SKIP() << error.what();
    }
    config_ = testing::short_run();
    config_.model.dim = 16;
    config_.train.device = std::get<0>(GetParam());
    config_.train.precision = std::get<1>(GetParam());
    config_.train.learning_rate = 0.02;
    config_.train.ema_decay = 0.9;
    config_.train.accumulate = 2;
  }

  bool on_cpu() const { return config_.train.device == "cpu"; }
  bool in_full() const { return config_.train.precision == Precision::fp32; }

  Config config_;
};

TEST_P(TrainerOn, LearnsAndTellsItsFigures) {
  const TempDir dir;
  const TrainingResult result = run_real_model(config_, dir.path());
  EXPECT_GT(result.best_accuracy, 0.9);
  const auto first = metrics_lines(dir.path(), "epoch").at(0);
  EXPECT_GT(first.at("peak_memory_bytes").at("host_rss"), 0);
  if (!on_cpu()) {
    EXPECT_GT(first.at("peak_memory_bytes").at("device_allocated"), 0);
  }
}

TEST_P(TrainerOn, ComputesWhatTheSameTrainingByHandDoes) {
  // Random numbers differ between devices.
  config_.model.token_dropout = config_.model.embedding_dropout = config_.model.head_dropout = 0;
  config_.train.clip_norm = 0;
  const TempDir dir;
  run_real_model(config_, dir.path());
  const double loss = metrics_lines(dir.path(), "epoch").at(0).at("train_loss");
  const double tolerance = !in_full() ? 0.02 : on_cpu() ? 1e-5 : 1e-3;
  EXPECT_NEAR(loss, loss_by_hand(config_), tolerance);
}

TEST_P(TrainerOn, ResumedItEndsWithTheWeightsOfAnUninterruptedRun) {
  config_.train.learning_rate = 0.005;
  const TempDir whole;
  const TrainingResult expected = run_real_model(config_, whole.path());
  const TempDir parts;
  config_.train.max_updates = 7;
  ASSERT_EQ(run_real_model(config_, parts.path()).updates, 7);
  config_.train.max_updates = 0;
  const TrainingResult result =
      run_real_model(config_, parts.path(), parts.path() / "checkpoints/last");
  EXPECT_FALSE(result.was_finished);
  EXPECT_EQ(result.updates, expected.updates);

  const auto wanted = tensors_of(whole.path() / "checkpoints/last");
  const auto found = tensors_of(parts.path() / "checkpoints/last");
  ASSERT_EQ(found.size(), wanted.size());
  double difference = 0;
  double norm = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto& [name, tensor] = wanted[i];
    ASSERT_EQ(found[i].first, name);
    if (on_cpu() || tensor.scalar_type() == at::kByte) {  // random numbers
      EXPECT_TRUE(found[i].second.equal(tensor)) << name << " is not the same to the bit";
    } else if (name.starts_with("model.")) {
      difference += found[i].second.sub(tensor).square().sum().item<double>();
      norm += tensor.square().sum().item<double>();
    }
  }
  // On a GPU LibTorch may choose another kernel in another process. A run in which resuming loses
  // the moments ends with weights that differ by 4 % of their norm, one that loses the random
  // numbers by 3 % (measured).
  EXPECT_LE(std::sqrt(difference), (in_full() ? 0.005 : 0.01) * std::sqrt(norm));
}

void expect_equal_bytes(const fs::path& first, const fs::path& second) {
  const auto wanted = tensors_of(first / "checkpoints/last");
  const auto found = tensors_of(second / "checkpoints/last");
  ASSERT_EQ(found.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i)
    EXPECT_TRUE(found[i].second.equal(wanted[i].second)) << wanted[i].first;
}

TEST_P(TrainerOn, EqualRunsGiveEqualBytes) {
  const TempDir first;
  const TempDir second;
  run_real_model(config_, first.path());
  run_real_model(config_, second.path());
  expect_equal_bytes(first.path(), second.path());
}

TEST_P(TrainerOn, RecordedRunsAndAResumedOneGiveEqualBytes) {
  config_.train.accumulate = 1;  // or nothing is recorded
  config_.train.adversarial = 0.1;
  config_.model.bigram_buckets = 64;
  config_.model.noise_std = 0.1;
  const TempDir first;
  const TempDir second;
  const TempDir parts;
  run_real_model(config_, first.path());
  run_real_model(config_, second.path());
  expect_equal_bytes(first.path(), second.path());
  config_.train.max_updates = 7;
  ASSERT_EQ(run_real_model(config_, parts.path()).updates, 7);
  config_.train.max_updates = 0;
  run_real_model(config_, parts.path(), parts.path() / "checkpoints/last");
  expect_equal_bytes(first.path(), parts.path());
}

INSTANTIATE_TEST_SUITE_P(Devices, TrainerOn,
                         ::testing::Combine(::testing::Values("cpu", "cuda"),
                                            ::testing::Values(Precision::fp32, Precision::tf32,
                                                              Precision::bf16, Precision::fp16)),
                         [](const auto& suite) {
                           const Precision precision = std::get<1>(suite.param);
                           return std::string(std::get<0>(suite.param)) +
                                  (precision == Precision::fp32   ? "_fp32"
                                   : precision == Precision::tf32 ? "_tf32"  // fp32 on the CPU
                                   : precision == Precision::bf16 ? "_bf16"
                                                                  : "_fp16");
                         });

}  // namespace
}  // namespace diffuse
