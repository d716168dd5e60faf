// One update: the same in every kernel, and each of its settings counts.

#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "diffuse/model/model_factory.hpp"
#include "support/on_device.hpp"
#include "updates.hpp"

namespace diffuse {
namespace {

using testing::updates::kShape;
using testing::updates::model_weights;
using testing::updates::Outcome;
using testing::updates::small_config;
using testing::updates::two_texts;
using testing::updates::updated;

using UpdaterOn = testing::OnDevice;

INSTANTIATE_TEST_SUITE_P(Devices, UpdaterOn, testing::every_device(), testing::device_name);

TEST(Updater, TellsForwardFromBackwardWhereTheyAreTwoPasses) {
  for (const Kernel kernel : {Kernel::fused, Kernel::operations, Kernel::reference}) {
    Config config = small_config();
    config.train.kernel = kernel;
    const auto classifier = make_classifier(config, kShape, 1);
    Updater updater(config.train, Precision::fp32, *classifier);
    StepClock clock(at::kCPU, 1);
    clock.begin_update();
    updater.apply(
        1, 2, [&](std::size_t) { return two_texts(0); }, 1, 0.01, clock);
    clock.end_update();
    const HistoryTime time = clock.take();
    const bool fused = kernel != Kernel::reference;  // or recorded, which is one as well
    EXPECT_EQ(time.forward_backward_s.has_value(), fused);
    EXPECT_EQ(time.forward_s.has_value(), !fused);
    EXPECT_EQ(time.backward_s.has_value(), !fused);
  }
}

/// The weights after an update by `batches` whose rows' weights are `total` together.
std::vector<at::Tensor> weights_after(Kernel kernel, const std::vector<Batch>& batches,
                                      std::int64_t rows, double total) {
  Config config = small_config();
  config.train.kernel = kernel;
  config.train.label_smoothing = 0.1;
  const auto classifier = make_classifier(config, kShape, 1);
  Updater updater(config.train, Precision::fp32, *classifier);
  StepClock clock(at::kCPU, 1);
  clock.begin_update();
  updater.apply(
      batches.size(), {rows, total}, [&](std::size_t i) { return batches[i]; }, 1, 0.01, clock);
  return model_weights(updater);
}

void expect_close(const std::vector<at::Tensor>& found, const std::vector<at::Tensor>& expected,
                  const char* what) {
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_TRUE(found[i].allclose(expected[i], 1e-4, 2e-6)) << what << ", tensor " << i;
}

/// One text that stands `count` times.
Batch repeated(std::int32_t first, std::int64_t label, std::size_t count) {
  std::vector<std::int32_t> tokens;
  std::vector<std::int32_t> offsets = {0};
  for (std::size_t i = 0; i < count; ++i) {
    for (std::int32_t token = first; token < first + 3; ++token) tokens.push_back(token);
    offsets.push_back(static_cast<std::int32_t>(tokens.size()));
  }
  return make_batch(PackedRows(tokens, offsets, std::vector<std::int64_t>(count, label)), at::kCPU);
}

TEST(Updater, AWeightIsANumberOfRowsInEveryKernelAndBatch) {
  for (const Kernel kernel : {Kernel::fused, Kernel::operations, Kernel::reference}) {
    // As if each row stood as often as it weighs, in one batch or two.
    const std::vector<Batch> several = {repeated(1, 0, 3), repeated(7, 1, 1)};
    Batch three = repeated(1, 0, 1);
    three.weights = at::tensor({3.F});
    Batch one = repeated(7, 1, 1);
    one.weights = at::tensor({1.F});
    const std::vector<at::Tensor> expected = weights_after(kernel, several, 4, 4);
    expect_close(weights_after(kernel, {three, one}, 2, 4), expected, "weights in batches");
    // A factor of all is none, and a row of weight 0 is not there.
    Batch both = two_texts(0);
    const std::vector<at::Tensor> plain = weights_after(kernel, {both}, 2, 2);
    both.weights = at::tensor({5.F, 5.F});
    expect_close(weights_after(kernel, {both}, 2, 10), plain, "a factor");
    Batch with_nothing = repeated(7, 0, 1);
    with_nothing.weights = at::tensor({0.F});
    Batch alone = repeated(1, 0, 1);
    const std::vector<at::Tensor> without = weights_after(kernel, {alone}, 1, 1);
    alone.weights = at::tensor({1.F});
    const std::vector<at::Tensor> with = weights_after(kernel, {alone, with_nothing}, 2, 1);
    expect_close(with, without, "weight 0");
  }
}

/// Two texts that weigh something, with distributions in the labels' place.
Batch with_targets(bool several) {
  auto rows = std::make_shared<PackedRows>();
  rows->resize(5, 2, {.weights = true, .classes = 2, .several = several});
  const Batch plain = two_texts(0);
  std::ranges::copy(plain.host->tokens(), rows->tokens().begin());
  std::ranges::copy(plain.host->offsets(), rows->offsets().begin());
  std::ranges::copy(plain.host->labels(), rows->labels().begin());
  rows->weights()[0] = 0.5F;
  rows->weights()[1] = 2.F;
  const float targets[] = {0.25F, 0.75F, 0.9F, 0.1F};
  std::ranges::copy(targets, rows->distributions().begin());
  return make_batch(std::move(rows), at::kCPU);
}

/// The weights after five updates by some batches each, with everything drawn that can be.
std::vector<at::Tensor> weights_after_five(Kernel kernel, at::Device device,
                                           const std::vector<Batch>& batches,
                                           std::size_t in_an_update, double total) {
  Config config = small_config();
  config.train.kernel = kernel;
  config.train.embedding_update = EmbeddingUpdate::dense;
  config.train.adversarial = 0.3;
  config.train.label_smoothing = 0.1;
  config.train.embedding_lr_factor = 0.5;
  config.train.clip_norm = 0.5;
  config.train.ema_decay = 0.5;
  config.train.epsilon = 1e-3;  // or a gradient of nearly 0 decides by its sign
  config.model.bigram_buckets = 32;
  config.model.noise_std = 0.4;
  config.model.token_dropout = config.model.bigram_dropout = 0.2;
  config.model.embedding_dropout = config.model.head_dropout = 0.3;
  const auto classifier = make_classifier(config, kShape, 1);
  classifier->to(device);
  Updater updater(config.train, Precision::fp32, *classifier);
  StepClock clock(device, 1);
  std::size_t next = 0;
  for (std::int64_t update = 1; update <= 5; ++update) {
    clock.begin_update();
    updater.apply(
        in_an_update, {static_cast<std::int64_t>(2 * in_an_update), total},
        [&](std::size_t i) { return batches[(next + i) % batches.size()]; }, update,
        0.01 / static_cast<double>(update), clock);
    next += in_an_update;
  }
  std::vector<at::Tensor> weights = model_weights(updater);
  for (at::Tensor& tensor : weights) tensor = tensor.cpu();
  return weights;
}

TEST_P(UpdaterOn, OperationsUpdateAsTheFusedKernelDoesWhateverIsDrawn) {
  const auto expect_equal = [&](const std::vector<Batch>& batches, std::size_t in_an_update,
                                double total, const char* what) {
    expect_close(weights_after_five(Kernel::operations, device_, batches, in_an_update, total),
                 weights_after_five(Kernel::fused, at::kCPU, batches, in_an_update, total), what);
  };
  const std::vector<Batch> plain = {two_texts(0), two_texts(1)};
  expect_equal(plain, 2, 4, "one by one");
  expect_equal(plain, 1, 2, "recorded");
  expect_equal({repeated(3, 0, 30), two_texts(1)}, 1, 2, "recorded, of two shapes");
  expect_equal({with_targets(false)}, 1, 2.5, "recorded, with targets");
  expect_equal({with_targets(true)}, 1, 2.5, "recorded, of several labels");
}

/// The weights and what a checkpoint holds beside them after forty updates, of which each has few
/// of the words: of one batch, or some of two. `settle`: after which updates somebody looks.
std::vector<at::Tensor> after_forty(EmbeddingUpdate how, at::Device device, bool sometimes_two,
                                    const std::function<bool(std::int64_t)>& settle) {
  Config config = small_config();
  config.train.kernel = Kernel::operations;
  config.train.embedding_update = how;
  config.train.embedding_weight_decay = 0.1;
  config.train.embedding_lr_factor = 0.5;
  config.train.clip_norm = 0.5;
  config.train.ema_decay = 0.9;
  config.train.adversarial = 0.1;
  config.train.epsilon = 1e-3;  // or a gradient of nearly 0 decides by its sign
  config.model.bigram_buckets = 32;
  config.model.embedding_dropout = 0.2;
  const auto classifier = make_classifier(config, kShape, 1);
  classifier->to(device);
  Updater updater(config.train, Precision::fp32, *classifier);
  StepClock clock(device, 1);
  for (std::int64_t update = 1; update <= 40; ++update) {
    clock.begin_update();
    const std::int32_t first = update % 20 == 3 ? 10 : static_cast<std::int32_t>(update % 4);
    const std::size_t count = sometimes_two && update % 3 == 0 ? 2 : 1;
    updater.apply(
        count, static_cast<std::int64_t>(2 * count),
        [&](std::size_t i) {
          return repeated(first + static_cast<std::int32_t>(i), update % 2, 2);
        },
        update, 0.05 / static_cast<double>(update), clock);
    if (settle(update)) updater.settle();
  }
  std::vector<at::Tensor> found;
  for (const at::Tensor& tensor : updater.model_tensors()) found.push_back(tensor.cpu().clone());
  for (const auto& [name, tensor] : updater.training_tensors())
    if (name != "generator") found.push_back(tensor.cpu().clone());
  return found;
}

TEST_P(UpdaterOn, RowsThatABatchReadsAreUpdatedAsAllAre) {
  const auto never = [](std::int64_t) { return false; };
  for (const bool sometimes_two : {false, true})
    expect_close(after_forty(EmbeddingUpdate::touched, device_, sometimes_two, never),
                 after_forty(EmbeddingUpdate::dense, device_, sometimes_two, never),
                 sometimes_two ? "sometimes two batches" : "one batch");
}

TEST_P(UpdaterOn, WhoeverLooksBetweenUpdatesChangesNothing) {
  const auto found =
      after_forty(EmbeddingUpdate::touched, device_, false, [](std::int64_t) { return false; });
  const auto seen = after_forty(EmbeddingUpdate::touched, device_, false,
                                [](std::int64_t update) { return update % 7 == 0; });
  ASSERT_EQ(seen.size(), found.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_TRUE(at::equal(seen[i], found[i])) << i;
}

TEST(Updater, AnUpdateOfWeightZeroIsNoAccident) {
  for (const Kernel kernel : {Kernel::fused, Kernel::operations, Kernel::reference}) {
    Batch batch = two_texts(0);
    batch.weights = at::tensor({0.F, 0.F});
    for (const at::Tensor& tensor : weights_after(kernel, {batch}, 2, 0))
      EXPECT_TRUE(tensor.isfinite().all().item<bool>());
  }
}

TEST(Updater, EverySettingOfTheUpdateCounts) {
  const auto weights_after_three = [](const Config& config) {
    const auto classifier = make_classifier(config, kShape, 1);
    Updater updater(config.train, Precision::fp32, *classifier);
    StepClock clock(at::kCPU, 1);
    for (std::int64_t update = 1; update <= 3; ++update) {
      clock.begin_update();
      updater.apply(
          1, 2, [&](std::size_t) { return two_texts(static_cast<std::int32_t>(update % 2)); },
          update, 0.01, clock);
    }
    return model_weights(updater);
  };
  const Config base = small_config();
  const std::vector<at::Tensor> expected = weights_after_three(base);
  const std::vector<std::pair<const char*, std::function<void(TrainConfig&)>>> settings = {
      {"label_smoothing", [](TrainConfig& c) { c.label_smoothing = 0.2; }},
      {"adversarial", [](TrainConfig& c) { c.adversarial = 0.05; }},
      {"beta1", [](TrainConfig& c) { c.beta1 = 0.5; }},
      {"beta2", [](TrainConfig& c) { c.beta2 = 0.9; }},
      {"epsilon", [](TrainConfig& c) { c.epsilon = 0.1; }},
      {"weight_decay", [](TrainConfig& c) { c.weight_decay = 1; }},
      {"embedding_weight_decay", [](TrainConfig& c) { c.embedding_weight_decay = 1; }},
      {"embedding_lr_factor", [](TrainConfig& c) { c.embedding_lr_factor = 3; }},
      {"clip_norm", [](TrainConfig& c) { c.clip_norm = 1e-9; }},
      {"ema_decay", [](TrainConfig& c) { c.ema_decay = 0; }}};
  for (const auto& [name, change] : settings) {
    Config config = base;
    change(config.train);
    const std::vector<at::Tensor> changed = weights_after_three(config);
    bool same = true;
    for (std::size_t i = 0; i < expected.size(); ++i)
      same = same && at::equal(changed[i], expected[i]);
    EXPECT_FALSE(same) << name;
  }
}

TEST_P(UpdaterOn, TheAdversarialStepTrainsMoreAndTellsTheFiguresOfTheCleanPass) {
  for (const Precision precision : {Precision::fp32, Precision::bf16, Precision::fp16}) {
    Config config = small_config();
    config.model.bigram_buckets = 50;
    config.model.embedding_dropout = config.model.head_dropout = 0.3;
    const Outcome clean = updated(config, precision, device_);
    config.train.adversarial = 0.01;
    const Outcome moved = updated(config, precision, device_);
    EXPECT_EQ(moved.figures.loss.item<float>(), clean.figures.loss.item<float>());
    EXPECT_EQ(moved.figures.correct.item<std::int64_t>(),
              clean.figures.correct.item<std::int64_t>());
    // The gradients are those of both passes, whose embeddings hardly differ.
    EXPECT_FALSE(moved.figures.skipped);
    const double norms =
        moved.figures.gradient_norm.item<double>() / clean.figures.gradient_norm.item<double>();
    EXPECT_NEAR(norms, 2, 0.2);
    EXPECT_NE(norms, 2);
  }
}

}  // namespace
}  // namespace diffuse
