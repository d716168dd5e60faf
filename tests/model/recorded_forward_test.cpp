#include "../../src/model/recorded_forward.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <vector>

#include "diffuse/model/diffusion_classifier.hpp"
#include "support.hpp"
#include "support/on_device.hpp"

namespace diffuse {
namespace {

using testing::batch_of;
using testing::Sequences;

class RecordedForwardOn : public testing::OnDevice {};

TEST_P(RecordedForwardOn, AnswersAsTheKernelsOneByOneDo) {
  ModelConfig config = testing::small_config();
  config.pooling = Pooling::mean_max;
  DiffusionClassifier recorded(config, testing::kShape, 3);
  recorded.to(device_);
  recorded.use_kernel(Kernel::operations, Precision::fp32);
  DiffusionClassifier plain(config, testing::kShape, 3);
  // Each shape thrice and more, with other tokens, and too many texts besides.
  for (std::int32_t round = 0; round < 5; ++round) {
    for (const std::size_t texts : {1U, 2U, 9U}) {
      const Sequences sequences(texts, {1 + round, 4, 7 - round, 9});
      const at::NoGradGuard no_grad;
      const Batch batch = make_batch(batch_of(sequences).host, device_);
      const at::Tensor found = recorded.forward(batch, {}).cpu();
      EXPECT_TRUE(found.allclose(plain.forward(batch_of(sequences), {}), 1e-4, 1e-5))
          << round << ", " << texts;
    }
  }
}

TEST_P(RecordedForwardOn, WhatItGaveBeforeStays) {
  RecordedForward forward(device_, Precision::fp32, [](const Batch& batch) {
    return batch.tokens.narrow(0, 0, 2).to(at::kFloat);
  });
  std::vector<at::Tensor> found;
  for (std::int32_t i = 0; i < 4; ++i)
    found.push_back(forward.logits(make_batch(batch_of({{i, 2 * i}}).host, device_)));
  for (std::int32_t i = 0; i < 4; ++i) {
    EXPECT_EQ(found[static_cast<std::size_t>(i)][0].item<float>(), static_cast<float>(i));
    EXPECT_EQ(found[static_cast<std::size_t>(i)][1].item<float>(), static_cast<float>(2 * i));
  }
}

/// A recording whose answers are off by a factor.
class Wrong final : public Recording {
 public:
  Wrong(std::function<void()> work, const at::Tensor& result, double factor, int& count)
      : work_(std::move(work)), result_(result), factor_(factor), count_(count) {}
  void replay() override {
    ++count_;
    work_();
    result_.mul_(factor_);
  }

 private:
  std::function<void()> work_;
  const at::Tensor& result_;
  double factor_;
  int& count_;
};

TEST(RecordedForward, RecordsNoMoreWhereAnAnswerIsAnother) {
  int calls = 0;
  int replays = 0;
  at::Tensor last;
  RecordedForward forward(
      at::kCPU, Precision::fp32,
      [&](const Batch& batch) {
        ++calls;
        return last = batch.tokens.narrow(0, 0, 2).to(at::kFloat);
      },
      [&](at::Device, const std::function<void()>& work) -> std::unique_ptr<Recording> {
        return std::make_unique<Wrong>(work, last, -1, replays);
      });
  for (std::int32_t i = 0; i < 5; ++i)
    EXPECT_EQ(forward.logits(batch_of({{i, 3}}))[0].item<float>(), static_cast<float>(i));
  EXPECT_EQ(replays, 1);
  EXPECT_EQ(calls, 6);  // once more in the recording, once more to compare, once less
}

/// Replays among three answers in `precision` of a recording that is off by `factor`.
int replays_of_three(Precision precision, double factor) {
  int replays = 0;
  at::Tensor last;
  RecordedForward forward(
      at::kCPU, precision,
      [&](const Batch& batch) { return last = batch.tokens.narrow(0, 0, 2).to(at::kFloat); },
      [&](at::Device, const std::function<void()>& work) -> std::unique_ptr<Recording> {
        return std::make_unique<Wrong>(work, last, factor, replays);
      });
  for (std::int32_t i = 1; i <= 3; ++i) forward.logits(batch_of({{i, 3}}));
  return replays;
}

TEST(RecordedForward, AllowsWhatItsPrecisionRounds) {
  EXPECT_EQ(replays_of_three(Precision::fp32, 1.0005), 2);
  EXPECT_EQ(replays_of_three(Precision::fp32, 1.005), 1);
  for (const Precision precision : {Precision::tf32, Precision::fp16}) {
    EXPECT_EQ(replays_of_three(precision, 1.005), 2);
    EXPECT_EQ(replays_of_three(precision, 1.03), 1);
  }
  EXPECT_EQ(replays_of_three(Precision::bf16, 1.03), 2);
  EXPECT_EQ(replays_of_three(Precision::bf16, 1.1), 1);
}

TEST(RecordedForward, TakesFewTextsAsTheyWerePacked) {
  EXPECT_TRUE(RecordedForward::takes(batch_of({{1}, {2, 3}})));
  EXPECT_TRUE(RecordedForward::takes(batch_of(Sequences(8, {1}))));
  EXPECT_FALSE(RecordedForward::takes(batch_of(Sequences(9, {1}))));
  Batch filled_up = batch_of({{1}});
  filled_up.filled_up = true;
  EXPECT_FALSE(RecordedForward::takes(filled_up));
  Batch alone = batch_of({{1}});
  alone.host = nullptr;
  EXPECT_FALSE(RecordedForward::takes(alone));
}

INSTANTIATE_TEST_SUITE_P(, RecordedForwardOn, testing::every_device(), testing::device_name);

}  // namespace
}  // namespace diffuse
