#include "../../src/train/batch_loader.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "diffuse/base/error.hpp"
#include "training_fixture.hpp"

namespace diffuse {
namespace {

class BatchLoaderTest : public ::testing::Test {
 protected:
  BatchLoaderTest() {
    config_.batch_size = 4;
    config_.accumulate = 2;
  }

  std::unique_ptr<EncodedDataset> data_ = testing::separable_rows(18, 2, 1);  // 5 batches of 4
  DatasetView view_ = view_all(*data_);
  TrainConfig config_;
};

TEST_F(BatchLoaderTest, PacksWhatTheStreamDraws) {
  BatchStream stream(view_, config_);
  BatchLoader loader(view_, config_, 2);
  for (int update = 0; update < 20; ++update) {
    const auto& batches = stream.next();
    const LoadedUpdate& loaded = loader.next();
    ASSERT_EQ(loaded.batches.size(), batches.size());
    BatchStream::Rows rows;
    for (std::size_t i = 0; i < batches.size(); ++i) {
      const PackedRows expected = pack_rows(*data_, batches[i]);
      EXPECT_TRUE(std::ranges::equal(loaded.batches[i]->tokens(), expected.tokens()));
      EXPECT_TRUE(std::ranges::equal(loaded.batches[i]->offsets(), expected.offsets()));
      EXPECT_TRUE(std::ranges::equal(loaded.batches[i]->labels(), expected.labels()));
      rows.insert(rows.end(), batches[i].begin(), batches[i].end());
    }
    EXPECT_EQ(loaded.rows, rows);
    EXPECT_EQ(loaded.epoch, stream.epoch());
    EXPECT_EQ(loaded.position, stream.position());
    EXPECT_EQ(loaded.epochs_done, stream.epochs_done());
    EXPECT_EQ(&loader.current(), &loaded);
  }
}

TEST_F(BatchLoaderTest, PacksTargetsAndAddsUpWeights) {
  const std::vector<ClassShare> shares = {{1, 1.0F}};
  EncodedDataset data;
  for (std::int32_t row = 0; row < 6; ++row) {
    RowTarget target(row % 2);
    target.weight = static_cast<float>(1 << row);
    if (row == 0) target.shares = shares;
    data.append(std::vector<std::int32_t>{row}, target, 1);
  }
  const DatasetView view = view_all(data);
  config_.label_smoothing = 0.1;
  config_.soft_label_weight = 0.25;
  BatchLoader loader(view, config_, 2);
  const LoadedUpdate& loaded = loader.next();
  ASSERT_EQ(loaded.rows.size(), 6U);
  EXPECT_EQ(loaded.weight, 63);
  for (const auto& batch : loaded.batches) {
    for (std::size_t b = 0; b < batch->labels().size(); ++b) {
      const std::int32_t row = batch->tokens()[b];
      EXPECT_EQ(batch->weights()[b], static_cast<float>(1 << row));
      const double label = row == 0 ? 0.75 * 0.95 : 0.95;
      EXPECT_FLOAT_EQ(batch->distributions()[2 * b + static_cast<std::size_t>(row % 2)],
                      static_cast<float>(label));
    }
  }
  BatchLoader plain(view_, config_, 2);
  EXPECT_EQ(plain.next().weight, 8);
}

TEST_F(BatchLoaderTest, PacksLongTextsInPiecesOfTheSameWeight) {
  EncodedDataset data;
  data.append(std::vector<std::int32_t>{1, 2, 3, 4, 5}, 1, 1);
  data.append(std::vector<std::int32_t>{6, 7}, 0, 2);
  const DatasetView view = view_all(data);
  BatchLoader loader(view, config_, 2, 0, {.most_tokens = 2});
  const LoadedUpdate& loaded = loader.next();
  EXPECT_EQ(loaded.rows.size(), 2U);
  EXPECT_EQ(loaded.sequences, 4);
  EXPECT_NEAR(loaded.weight, 2, 1e-6);
  BatchLoader whole(view, config_, 2);
  EXPECT_EQ(whole.next().sequences, 2);
}

TEST_F(BatchLoaderTest, ChangesPicturesAnewInEachEpochAndTheSameWhenItSeeks) {
  EncodedDataset data;
  std::vector<std::int32_t> picture(1024);
  for (std::size_t i = 0; i < picture.size(); ++i) picture[i] = static_cast<std::int32_t>(i % 251);
  data.append(picture, 0, 1);
  const DatasetView view = view_all(data);
  config_.accumulate = 1;
  config_.picture_flip = true;
  config_.picture_shift = 8;
  BatchLoader loader(view, config_, 1);
  std::vector<std::vector<std::int32_t>> seen;
  for (int epoch = 0; epoch < 6; ++epoch) {
    const auto tokens = loader.next().batches.front()->tokens();
    seen.emplace_back(tokens.begin(), tokens.end());
  }
  EXPECT_NE(seen[0], picture);
  EXPECT_NE(seen[0], seen[1]);
  EXPECT_NE(seen[1], seen[2]);
  BatchLoader other(view, config_, 1);
  other.seek(4, 0);
  EXPECT_TRUE(std::ranges::equal(other.next().batches.front()->tokens(), seen[4]));
  EXPECT_TRUE(std::ranges::equal(other.next().batches.front()->tokens(), seen[5]));
}

TEST_F(BatchLoaderTest, SeeksBeforeItBegins) {
  BatchLoader first(view_, config_, 2);
  const LoadedUpdate* before = &first.next();
  BatchLoader second(view_, config_, 2);
  second.seek(before->epoch, before->position);
  EXPECT_EQ(second.current().epochs_done, before->epochs_done);
  EXPECT_EQ(second.next().rows, first.next().rows);
}

TEST_F(BatchLoaderTest, WhatIsStillReadIsNotOverwritten) {
  BatchLoader loader(view_, config_, 2);
  const std::shared_ptr<PackedRows> kept = loader.next().batches.front();
  const std::vector<std::int32_t> tokens(kept->tokens().begin(), kept->tokens().end());
  for (int update = 0; update < 4; ++update) loader.next();
  EXPECT_TRUE(std::ranges::equal(kept->tokens(), tokens));
}

TEST_F(BatchLoaderTest, ThrowsWhatKeptABatchFromBeingPacked) {
  config_.batch_size = 0;
  BatchLoader loader(view_, config_, 2);
  EXPECT_THROW(loader.next(), ConfigError);
  EXPECT_THROW(loader.next(), ConfigError);
}

}  // namespace
}  // namespace diffuse
