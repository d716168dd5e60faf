#include "../../src/train/batch_stream.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "diffuse/base/error.hpp"
#include "training_fixture.hpp"

namespace diffuse {
namespace {

using Rows = BatchStream::Rows;

class BatchStreamTest : public ::testing::Test {
 protected:
  BatchStreamTest() {
    config_.batch_size = 4;
    config_.sort_window = 0;
  }
  std::vector<std::vector<Rows>> take(BatchStream& stream, int updates) {
    std::vector<std::vector<Rows>> taken;
    for (int i = 0; i < updates; ++i) taken.push_back(stream.next());
    return taken;
  }

  std::unique_ptr<EncodedDataset> data_ = testing::separable_rows(18, 2, 1);  // 5 batches of 4
  DatasetView view_ = view_all(*data_);
  TrainConfig config_;
};

TEST_F(BatchStreamTest, GoesThroughEpochs) {
  BatchStream stream(view_, config_);
  const auto updates = take(stream, 5);
  EXPECT_EQ(stream.epoch(), 1);
  EXPECT_EQ(stream.position(), 0);
  EXPECT_EQ(stream.epochs_done(), 1);
  Rows seen;
  for (const auto& update : updates) {
    ASSERT_EQ(update.size(), 1U);
    seen.insert(seen.end(), update[0].begin(), update[0].end());
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen, view_.rows);
  EXPECT_NE(take(stream, 5), updates);  // another order
  stream.next();
  EXPECT_DOUBLE_EQ(stream.epochs_done(), 2.2);
}

TEST_F(BatchStreamTest, AccumulatesWithinAnEpoch) {
  config_.accumulate = 2;
  BatchStream stream(view_, config_);
  EXPECT_EQ(stream.next().size(), 2U);
  EXPECT_EQ(stream.position(), 2);
  EXPECT_EQ(stream.next().size(), 2U);
  EXPECT_EQ(stream.next().size(), 1U);  // what is left of the epoch
  EXPECT_EQ(stream.epoch(), 1);
}

TEST_F(BatchStreamTest, SeekGoesOnWhereAnotherStopped) {
  config_.accumulate = 2;
  BatchStream first(view_, config_);
  take(first, 5);
  BatchStream second(view_, config_);
  second.seek(first.epoch(), first.position());
  EXPECT_EQ(take(second, 4), take(first, 4));
}

/// Rows of all `updates`, one behind the other.
Rows rows_of(const std::vector<std::vector<Rows>>& updates) {
  Rows rows;
  for (const auto& update : updates)
    for (const Rows& batch : update) rows.insert(rows.end(), batch.begin(), batch.end());
  return rows;
}

TEST_F(BatchStreamTest, AnEpochOfSomeRowsGoesOnWhereTheLastOneStopped) {
  BatchStream whole(view_, config_);
  const auto passes = take(whole, 15);
  BatchStream stream(view_, config_, 8);  // two batches an epoch
  EXPECT_EQ(stream.batches_in_epoch(), 2);
  EXPECT_EQ(take(stream, 15), passes) << "three times all rows, in the order of whole epochs";
  EXPECT_EQ(stream.epoch(), 7);
  EXPECT_EQ(stream.position(), 1);
  EXPECT_DOUBLE_EQ(stream.epochs_done(), 7.5);
  for (const std::int64_t rows : {0, 18, 19, 1000}) {
    BatchStream all(view_, config_, rows);
    EXPECT_EQ(all.batches_in_epoch(), 5) << rows;
    EXPECT_EQ(take(all, 15), passes) << rows;
  }
}

TEST_F(BatchStreamTest, AnEpochOfSomeRowsGoesOnFromAnyPlace) {
  for (const std::int64_t tokens : {0, 30}) {
    config_.batch_tokens = tokens;
    config_.accumulate = 2;
    BatchStream whole(view_, config_, 7);
    for (int stop = 0; stop < 40; ++stop) {
      whole.next();
      BatchStream other(view_, config_, 7);
      other.seek(whole.epoch(), whole.position());
      BatchStream same = whole;
      EXPECT_EQ(take(other, 6), take(same, 6)) << stop << ", " << tokens;
    }
  }
}

TEST_F(BatchStreamTest, WithATokenBudgetEveryRowComesBeforeAnyComesAgain) {
  config_.batch_tokens = 30;
  BatchStream stream(view_, config_, 7);
  Rows rows;
  while (rows.size() < 3 * 18) {
    const Rows more = rows_of(take(stream, 1));
    rows.insert(rows.end(), more.begin(), more.end());
  }
  for (std::size_t pass = 0; pass < 3; ++pass) {
    Rows own(rows.begin() + static_cast<std::ptrdiff_t>(pass * 18),
             rows.begin() + static_cast<std::ptrdiff_t>(pass * 18 + 18));
    std::sort(own.begin(), own.end());
    EXPECT_EQ(own, view_.rows) << pass;
  }
}

TEST_F(BatchStreamTest, SeekRefusesAPlaceThatIsNotThere) {
  BatchStream stream(view_, config_);
  try {
    stream.seek(0, 5);
    FAIL() << "no error";
  } catch (const CheckpointError& error) {
    EXPECT_STREQ(error.what(),
                 "The checkpoint stands at batch 5 of an epoch of 5 batches: it belongs to other "
                 "data or another configuration.");
  }
}

TEST_F(BatchStreamTest, OverfittingSeesOneBatchForEver) {
  config_.overfit_batch = true;
  BatchStream stream(view_, config_);
  const auto updates = take(stream, 12);
  for (const auto& update : updates) EXPECT_EQ(update, updates[0]);
  EXPECT_EQ(updates[0].at(0), epoch_batches(view_, sampler_options(config_), 0).front());
  EXPECT_EQ(stream.epoch(), 2);
}

}  // namespace
}  // namespace diffuse
