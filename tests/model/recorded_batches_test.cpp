
#include <ATen/ops/equal.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "diffuse/model/recorded_batches.hpp"
#include "diffuse/model/staged_batch.hpp"
#include "support/on_device.hpp"

namespace diffuse {
namespace {

/// `texts` texts of `length` tokens 1, 2, 3 ….
std::shared_ptr<PackedRows> rows_of(std::int32_t texts, std::int32_t length) {
  std::vector<std::int32_t> tokens;
  std::vector<std::int32_t> offsets = {0};
  std::vector<std::int64_t> labels;
  for (std::int32_t text = 0; text < texts; ++text) {
    for (std::int32_t i = 0; i < length; ++i) tokens.push_back(1 + i);
    offsets.push_back(static_cast<std::int32_t>(tokens.size()));
    labels.push_back(text % 3);
  }
  return std::make_shared<PackedRows>(tokens, offsets, labels);
}

TEST(StagedBatch, FillsUpToFewShapesAndNeverByMuch) {
  std::vector<std::int64_t> shapes;
  for (std::int32_t tokens = 1; tokens <= 40'000; tokens += tokens < 3000 ? 1 : 37) {
    const StagedBatch::Shape shape = StagedBatch::shape_of(*rows_of(1, tokens));
    EXPECT_EQ(shape.texts, 1);
    EXPECT_GT(shape.rows, tokens);
    EXPECT_LE(shape.rows, std::max(tokens + 64, tokens + tokens / 8 + 1));
    if (shapes.empty() || shape.rows != shapes.back()) shapes.push_back(shape.rows);
  }
  EXPECT_LT(shapes.size(), 120U);  // of them two dozen between 2,500 and 10,000
}

class StagedBatchOn : public testing::OnDevice {};

TEST_P(StagedBatchOn, HoldsWhatWasLoadedLast) {
  const auto rows = rows_of(3, 5);
  const StagedBatch::Shape shape = StagedBatch::shape_of(*rows);
  ASSERT_EQ(shape.rows, 64);
  StagedBatch staged(shape, device_);
  staged.load(*rows_of(3, 9), {.learning_rate = 7});
  staged.load(*rows, {.place = {.seed = 0xFEDC'BA98'7654'3210, .update = 0xFFFF'FFFF, .batch = 2},
                      .learning_rate = 0.25,
                      .share = 0.125});
  const Batch batch = staged.batch(rows);
  EXPECT_EQ(batch.size(), 3);
  EXPECT_EQ(batch.token_count(), 64);
  EXPECT_NO_THROW(check_offsets(batch));
  const at::Tensor tokens = batch.tokens.cpu();
  EXPECT_TRUE(
      at::equal(tokens.narrow(0, 0, 15),
                at::tensor(std::vector<std::int32_t>(rows->tokens().begin(), rows->tokens().end()),
                           at::kInt)));
  EXPECT_TRUE(tokens.narrow(0, 15, 49).eq(0).all().item<bool>());
  EXPECT_TRUE(at::equal(batch.offsets.cpu(), at::tensor({0, 5, 10, 15, 64}, at::kInt)));
  EXPECT_TRUE(at::equal(batch.labels.cpu(), at::tensor({0, 1, 2}, at::kLong)));
  EXPECT_FALSE(batch.weights.defined());
  EXPECT_FALSE(batch.distributions.defined());
  const auto seed = static_cast<std::int64_t>(0xFEDC'BA98'7654'3210);
  EXPECT_TRUE(at::equal(staged.place().cpu(), at::tensor({seed, 0x2'FFFF'FFFFL}, at::kLong)));
  EXPECT_EQ(staged.learning_rate().item<float>(), 0.25F);
  EXPECT_EQ(staged.share().item<float>(), 0.125F);
}

TEST_P(StagedBatchOn, HoldsWeightsAndDistributions) {
  const auto rows = std::make_shared<PackedRows>();
  rows->resize(4, 2, {.weights = true, .classes = 3, .several = true});
  const std::vector<std::int32_t> tokens = {5, 6, 7, 8};
  std::copy(tokens.begin(), tokens.end(), rows->tokens().begin());
  const std::vector<std::int32_t> offsets = {0, 1, 4};
  std::copy(offsets.begin(), offsets.end(), rows->offsets().begin());
  for (std::size_t i = 0; i < 2; ++i) {
    rows->labels()[i] = static_cast<std::int64_t>(i);
    rows->weights()[i] = 0.5F + static_cast<float>(i);
  }
  for (std::size_t i = 0; i < 6; ++i) rows->distributions()[i] = static_cast<float>(i);
  StagedBatch staged(StagedBatch::shape_of(*rows), device_);
  staged.load(*rows, {});
  const Batch batch = staged.batch(rows);
  EXPECT_TRUE(batch.several);
  EXPECT_TRUE(at::equal(batch.weights.cpu(), at::tensor({0.5F, 1.5F})));
  EXPECT_TRUE(at::equal(batch.distributions.cpu(),
                        at::tensor({0.F, 1.F, 2.F, 3.F, 4.F, 5.F}).view({2, 3})));
}

INSTANTIATE_TEST_SUITE_P(, StagedBatchOn, testing::every_device(), testing::device_name);

/// Adds up the tokens that its batches have, on the device, and tells the learning rate.
class RecordedBatchesOn : public testing::OnDevice {
 protected:
  struct Figures {
    at::Tensor sum, update, rate;
  };
  using Recorded = RecordedBatches<Figures>;

  Recorded::Work work() {
    return [this](const StagedBatch& staged, const Batch& batch) {
      ++calls_;
      const at::Tensor sum = batch.tokens.sum().to(at::kFloat);
      return Figures{sum, staged.place().select(0, 1), staged.learning_rate()};
    };
  }
  int calls_ = 0;
};

TEST_P(RecordedBatchesOn, ComputeOfEveryBatchWhatItIs) {
  Recorded updates(device_, work(), record);
  // Two shapes, by turns, and each with other numbers.
  for (std::uint32_t update = 1; update <= 8; ++update) {
    const auto length = static_cast<std::int32_t>(update % 2 == 0 ? 4 + update : 400 + update);
    const auto rows = rows_of(2, length);
    const Figures figures =
        updates.run(rows, {.place = {.update = update}, .learning_rate = 0.5 * update});
    EXPECT_EQ(figures.sum.item<float>(), static_cast<float>(length * (length + 1))) << update;
    EXPECT_EQ(figures.update.item<std::int64_t>(), update);
    EXPECT_EQ(figures.rate.item<float>(), 0.5F * static_cast<float>(update));
    EXPECT_EQ(updates.recordings(), update < 3 ? 0U : update < 4 ? 1U : 2U) << update;
  }
  // A device is told of each shape twice; the CPU has nothing that could tell it again.
  EXPECT_EQ(calls_, device_.is_cuda() ? 4 : 8);
}

TEST_P(RecordedBatchesOn, CanBeMadeAgainWhenAllThatWereAreGone) {
  for (int time = 0; time < 3; ++time) {
    Recorded updates(device_, work(), record);
    for (std::uint32_t update = 1; update <= 3; ++update) {
      updates.run(rows_of(2, 3), {.place = {.update = update}});
      EXPECT_EQ(updates.has_recorded(), update == 2);
    }
    EXPECT_EQ(updates.recordings(), 1U) << time;
  }
}

TEST_P(RecordedBatchesOn, GoOnOneByOneWhereNothingCanBeRecorded) {
  int asked = 0;
  Recorded updates(device_, work(),
                   [&](at::Device, const std::function<void()>&) -> std::unique_ptr<Recording> {
                     ++asked;
                     TORCH_CHECK(false, "it cannot be");
                   });
  for (std::uint32_t update = 1; update <= 4; ++update) {
    const Figures figures = updates.run(rows_of(2, 3), {.place = {.update = update}});
    EXPECT_EQ(figures.sum.item<float>(), 12.F);
    EXPECT_EQ(figures.update.item<std::int64_t>(), update);
  }
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(calls_, 4);
  EXPECT_EQ(updates.recordings(), 0U);
}

TEST_P(RecordedBatchesOn, LeaveRandomNumbersAndOtherRecordingsAloneWhereOneFails) {
  Recorded updates(device_, work(), record);
  Recorded waiting(
      device_,
      [&](const StagedBatch& staged, const Batch& batch) {
        Figures figures = work()(staged, batch);
        static_cast<void>(figures.sum.item<float>());  // which no recording of a device can
        return figures;
      },
      record);
  for (std::uint32_t update = 1; update <= 4; ++update) {
    const Figures figures = updates.run(rows_of(2, 3), {.place = {.update = update}});
    EXPECT_EQ(figures.update.item<std::int64_t>(), update);
    EXPECT_EQ(waiting.run(rows_of(2, 3), {.place = {.update = update}}).sum.item<float>(), 12.F);
    EXPECT_NO_THROW(at::rand({3}, device_));  // of the default generator
  }
  EXPECT_EQ(updates.recordings(), 1U);
  EXPECT_EQ(waiting.recordings(), device_.is_cuda() ? 0U : 1U);
}

TEST_P(RecordedBatchesOn, KeepMemoryForALimitedNumberOfShapes) {
  Recorded updates(device_, work(), record);
  for (std::int32_t texts = 1; texts <= 200; ++texts) {
    const auto rows = rows_of(texts, 1);
    for (int time = 0; time < 2; ++time)
      EXPECT_EQ(updates.run(rows, {}).sum.item<float>(), static_cast<float>(texts));
    EXPECT_LE(updates.recordings(), 64U);
  }
}

INSTANTIATE_TEST_SUITE_P(, RecordedBatchesOn, testing::every_device(), testing::device_name);

}  // namespace
}  // namespace diffuse
