// AdamW on touched rows against AdamW on all of them.

#include "diffuse/train/row_adamw.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/sub.h>
#include <ATen/ops/zeros.h>
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "diffuse/base/error.hpp"
#include "diffuse/base/random.hpp"
#include "diffuse/train/weight_average.hpp"
#include "support/message_of.hpp"

namespace diffuse {
namespace {

constexpr std::int64_t kRows = 40;
constexpr std::int64_t kWidth = 19;  // whole vectors and a rest

at::Tensor normal_rows(std::int64_t rows, std::uint64_t seed, double scale) {
  return at::randn({rows, kWidth}, at::detail::createCPUGenerator(seed),
                   at::TensorOptions(at::kFloat))
      .mul_(scale);
}

at::Tensor settled_of(const RowAdamW& rows) {
  at::Tensor settled = at::empty({kRows, kWidth});
  rows.settle(0, kRows, settled.mutable_data_ptr<float>());
  return settled;
}

/// Updates of a table by gradients of a few rows, in two ways.
class TwoWays {
 public:
  TwoWays(const AdamWOptions& options, double average_decay)
      : dense_table_(normal_rows(kRows, 1, 0.1)),
        touched_table_(dense_table_.clone()),
        dense_({{"e", dense_table_, ParameterRole::embedding}}, options),
        touched_({"e", touched_table_, ParameterRole::embedding}, options, average_decay),
        average_decay_(average_decay),
        pool_(2) {
    if (average_decay > 0) average_ = dense_table_.clone();
  }

  /// Rows that come often and rows that come seldom; the first never.
  void update(double rate, double divisor = 1) {
    ++update_;
    std::vector<std::int32_t> ids;
    for (std::int32_t id = 1; id < kRows; ++id)
      if (random_.below(static_cast<std::uint64_t>(id)) < 2) ids.push_back(id);
    const at::Tensor rows = normal_rows(static_cast<std::int64_t>(ids.size()),
                                        static_cast<std::uint64_t>(update_), 0.01);
    touched_.catch_up(ids, pool_);
    std::vector<std::int32_t> positions(ids.size());
    at::Tensor dense = at::zeros({kRows, kWidth}, at::kFloat);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      positions[i] = static_cast<std::int32_t>(i);
      dense[ids[i]].copy_(rows[static_cast<std::int64_t>(i)]);
      // What a forward pass would read is what the dense rule has.
      const at::Tensor difference = at::sub(dense_table_.detach()[ids[i]], touched_table_[ids[i]]);
      seen_error_ = std::max(seen_error_, difference.abs().max().item<double>());
    }
    RowGradient gradient{.ids = ids,
                         .positions = positions,
                         .rows = rows.mutable_data_ptr<float>(),
                         .dim = kWidth,
                         .square_sum = 0,
                         .workers = &pool_};
    touched_.step(gradient, update_, rate, divisor);
    dense_table_.mutable_grad() = dense;
    dense_.step(rate, at::full({}, divisor, at::kFloat));
    if (!average_.defined()) return;
    const double kept = average_decay(average_decay_, update_);
    average_.mul_(kept).add_(dense_table_.detach(), 1 - kept);
  }

  double seen_error() const { return seen_error_; }
  double final_error() const {
    const at::Tensor& expected = average_.defined() ? average_ : dense_table_;
    return at::sub(expected.detach(), settled_of(touched_)).abs().max().item<double>();
  }
  double distance_moved() const {
    return at::sub(dense_table_.detach(), normal_rows(kRows, 1, 0.1)).abs().mean().item<double>();
  }
  RowAdamW& touched() { return touched_; }
  at::Tensor dense_table() const { return dense_table_.detach(); }
  const at::Tensor& touched_table() const { return touched_table_; }
  std::int64_t updates() const { return update_; }
  AdamW& dense() { return dense_; }

 private:
  at::Tensor dense_table_;
  at::Tensor touched_table_;
  AdamW dense_;
  RowAdamW touched_;
  double average_decay_;
  WorkerPool pool_;
  at::Tensor average_;
  Random random_{3};
  std::int64_t update_ = 0;
  double seen_error_ = 0;
};

double rate_at(int update) { return update < 20 ? 0.001 * update : 0.02 - 0.00004 * update; }

TEST(AdamWOptions, WordsThatWereLearnedBeforeHaveASlowRate) {
  TrainConfig config;
  EXPECT_EQ(adamw_options(config).embedding_lr_factor, 1);
  config.pretrain = "10e";
  EXPECT_EQ(adamw_options(config).embedding_lr_factor, 0.05);
  config.pretrain.clear();
  config.init = "runs/words";
  EXPECT_EQ(adamw_options(config).embedding_lr_factor, 0.05);
  config.embedding_lr_factor = 0.5;
  EXPECT_EQ(adamw_options(config).embedding_lr_factor, 0.5);
}

TEST(RowAdamW, SlowsTheWordsAloneByTheEmbeddingsFactor) {
  const AdamWOptions options{.embedding_lr_factor = 0};
  WorkerPool pool(1);
  for (const bool pairs : {false, true}) {
    const at::Tensor table = at::ones({kRows, kWidth}, at::kFloat);
    RowAdamW rows(
        {pairs ? "embedding.bigrams" : "embedding.weight", table, ParameterRole::embedding},
        options, 0);
    const std::vector<std::int32_t> ids = {1};
    const std::vector<std::int32_t> positions = {0};
    const at::Tensor gradient = at::ones({1, kWidth}, at::kFloat);
    rows.catch_up(ids, pool);
    rows.step({.ids = ids,
               .positions = positions,
               .rows = gradient.mutable_data_ptr<float>(),
               .dim = kWidth,
               .square_sum = static_cast<double>(kWidth),
               .workers = &pool},
              1, 0.1, 1);
    EXPECT_NEAR(settled_of(rows)[1][0].item<float>(), pairs ? 0.9F : 1.0F, 1e-5F);
  }
}

TEST(RowAdamW, HasEveryRowWhereAdamWHasItWhenItIsNeeded) {
  TwoWays both({.beta1 = 0.9, .beta2 = 0.98, .epsilon = 1e-12}, 0);
  for (int u = 1; u <= 400; ++u) both.update(rate_at(u), u % 3 == 0 ? 2.0 : 1.0);
  EXPECT_GT(both.distance_moved(), 0.05);
  EXPECT_LT(both.seen_error(), 2e-5);
  EXPECT_LT(both.final_error(), 2e-5);
}

TEST(RowAdamW, EpsilonCountsALittleLess) {
  TwoWays both({.beta1 = 0.9, .beta2 = 0.98, .epsilon = 1e-5}, 0);
  for (int u = 1; u <= 400; ++u) both.update(rate_at(u));
  EXPECT_LT(both.seen_error(), 0.05 * both.distance_moved());
}

TEST(RowAdamW, FollowsALongerMemoryToo) {
  TwoWays both({.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-12}, 0);
  for (int u = 1; u <= 400; ++u) both.update(rate_at(u));
  EXPECT_LT(both.final_error(), 2e-5);
}

TEST(RowAdamW, WeightDecayOfAbsentRowsIsMadeUpFor) {
  TwoWays both({.beta1 = 0.9, .beta2 = 0.98, .epsilon = 1e-12, .embedding_weight_decay = 0.01}, 0);
  for (int u = 1; u <= 400; ++u) both.update(0.01);
  EXPECT_LT(both.seen_error(), 2e-3);
}

TEST(RowAdamW, AveragesAsIfEveryRowHadBeenAveragedEachTime) {
  TwoWays both({.beta1 = 0.9, .beta2 = 0.98, .epsilon = 1e-12}, 0.99);
  for (int u = 1; u <= 400; ++u) both.update(0.01);
  // A row's movement while it is away is averaged a few updates early.
  EXPECT_LT(both.final_error(), 0.1 * both.distance_moved());
}

TEST(RowAdamW, ARowThatNeverCameStaysWhereItWas) {
  TwoWays both({}, 0);
  const at::Tensor before = both.touched_table()[0].clone();
  for (int u = 1; u <= 30; ++u) both.update(0.01);
  EXPECT_TRUE(at::equal(settled_of(both.touched())[0], before));
}

TEST(RowAdamW, TheEmbeddingsRateIsAMultiple) {
  TwoWays both({.beta2 = 0.98, .epsilon = 1e-12, .embedding_lr_factor = 3}, 0);
  for (int u = 1; u <= 50; ++u) both.update(0.005);
  EXPECT_LT(both.final_error(), 2e-5);
}

TEST(RowAdamW, FinishedItsMomentsAreAdamWs) {
  TwoWays both({.beta1 = 0.9, .beta2 = 0.98, .epsilon = 1e-12}, 0);
  for (int u = 1; u <= 100; ++u) both.update(0.01);
  both.touched().finish();
  for (const auto& [name, tensor] : both.dense().state()) {
    if (name == "exp_avg.e") {
      EXPECT_TRUE(tensor.allclose(both.touched().moment1(), 1e-4, 1e-8));
    } else if (name == "exp_avg_sq.e") {
      EXPECT_TRUE(tensor.allclose(both.touched().moment2(), 1e-4, 1e-10));
    }
  }
  EXPECT_LT(at::sub(both.touched_table(), both.dense_table()).abs().max().item<double>(), 2e-5);
}

TEST(RowAdamW, FinishedItsAverageIsWhatItSettlesTo) {
  TwoWays both({.beta1 = 0.9, .beta2 = 0.98}, 0.9);
  for (int u = 1; u <= 30; ++u) both.update(0.01);
  const at::Tensor settled = settled_of(both.touched());
  both.touched().finish();
  EXPECT_TRUE(at::equal(both.touched().average(), settled));
}

TEST(AveragedWeightsScope, SettlesTheRowsOfABatchAndPutsThemBack) {
  TwoWays both({.beta1 = 0.9, .beta2 = 0.98}, 0.9);
  for (int u = 1; u <= 30; ++u) both.update(0.01);
  const at::Tensor own = both.touched_table().clone();
  const at::Tensor settled = settled_of(both.touched());
  const auto is = [&](const at::Tensor& expected, std::int64_t id) {
    return at::equal(both.touched_table()[id], expected[id]);
  };
  {
    AveragedWeightsScope scope(nullptr, std::span(&both.touched(), 1));
    EXPECT_TRUE(at::equal(both.touched_table(), own));
    scope.settle(1, std::vector<std::int32_t>{9});  // there is no such table
    scope.settle(0, std::vector<std::int32_t>{7, 3, 7});
    EXPECT_TRUE(is(settled, 7) && is(settled, 3) && is(own, 4));
    EXPECT_FALSE(is(own, 7) || is(own, 3));
    std::vector<std::int32_t> many;
    for (std::int32_t id = 10; id < kRows; ++id) many.push_back(id);
    scope.settle(0, many);
    for (const std::int32_t id : many) EXPECT_TRUE(is(settled, id)) << id;
    scope.settle(0, std::vector<std::int32_t>{3, 5});
    EXPECT_TRUE(is(settled, 3) && is(settled, 5));
    EXPECT_TRUE(is(own, kRows - 1)) << "no copy of most of the table is kept";
  }
  EXPECT_TRUE(at::equal(both.touched_table(), own));
  EXPECT_TRUE(at::equal(settled_of(both.touched()), settled));
}

TEST(RowAdamW, OnlyAShortMemoryOfTheFirstMomentCanBeFollowed) {
  EXPECT_TRUE(RowAdamW::can_follow({.beta1 = 0.9, .beta2 = 0.98}));
  EXPECT_TRUE(RowAdamW::can_follow({.beta1 = 0.0, .beta2 = 0.5}));
  EXPECT_FALSE(RowAdamW::can_follow({.beta1 = 0.99, .beta2 = 0.98}));
  EXPECT_FALSE(RowAdamW::can_follow({.beta1 = 0.999, .beta2 = 0.999}));
}

TEST(RowAdamW, LastUpdatesThatCannotBeAreRefused) {
  TwoWays both({}, 0.9);
  for (int u = 1; u <= 5; ++u) both.update(0.01);
  for (const std::int32_t wrong : {-1, 6}) {
    const RowAdamW::NamedTensors state = both.touched().state();
    ASSERT_EQ(state[2].first, "last_update.e");
    const at::Tensor row = state[2].second[3];
    const at::Tensor before = row.clone();
    row.fill_(wrong);
    EXPECT_EQ(testing::message_of<CheckpointError>([&] { both.touched().resume(5, state); }),
              fmt::format("The checkpoint's last_update.e holds {} for row 3; expected an update "
                          "between 0 and 5, that of the checkpoint.",
                          wrong));
    row.copy_(before);
  }
}

TEST(TailSteps, AddsTheRatesByTheirAge) {
  TailSteps tails(0.5);
  for (const double rate : {1.0, 2.0, 4.0}) tails.add(rate);
  EXPECT_DOUBLE_EQ(tails.since(3), 0);
  EXPECT_DOUBLE_EQ(tails.since(2), 4.0 * 0.5);
  EXPECT_DOUBLE_EQ(tails.since(1), 2.0 * 0.5 + 4.0 * 0.25);
  EXPECT_DOUBLE_EQ(tails.since(0), 0) << "no gradient yet";
}

TEST(TailSteps, ALongPastGradientsTailStaysAtItsEnd) {
  TailSteps tails(0.5);
  for (int i = 0; i < 10; ++i) tails.add(1.0);
  for (int i = 0; i < 100; ++i) tails.add(0.0);
  EXPECT_NEAR(tails.since(4), 0.5 + 0.25 + 0.125 + 0.0625 + 0.03125 + 0.015625, 1e-12);
  EXPECT_NEAR(tails.since(10), 0, 1e-12);
}

TEST(TailSteps, ItsStateGoesOn) {
  for (const int updates : {1, 10, 60}) {
    TailSteps one(0.7);
    for (int i = 1; i <= updates; ++i) one.add(0.1 * i);
    const at::Tensor state = one.state();
    EXPECT_EQ(state.numel(), one.state_size(updates));
    TailSteps other(0.7);
    other.set_state(state, updates);
    for (int i = 0; i < 50; ++i) {
      one.add(0.3);
      other.add(0.3);
    }
    for (int last = 0; last <= updates + 50; ++last)
      EXPECT_EQ(one.since(last), other.since(last)) << last;
  }
}

}  // namespace
}  // namespace diffuse
