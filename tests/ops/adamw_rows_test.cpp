// AdamW of the rows that batches read: what is made up for is what dense updates would have done.

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "diffuse/ops/dispatched/row_adamw.hpp"
#include "support/on_device.hpp"

namespace diffuse {
namespace {

constexpr std::int64_t kAdamWRows = 7;
constexpr std::int64_t kAdamWDim = 70;  // more than the threads of a row

class AdamWRowsOn : public testing::OnDevice {
 protected:
  at::Tensor random(at::IntArrayRef shape, std::uint64_t seed) const {
    return at::randn(shape, at::detail::createCPUGenerator(seed), at::TensorOptions(at::kFloat))
        .to(device_);
  }
  RowAdamWState table() const {
    return {random({kAdamWRows, kAdamWDim}, 1), at::zeros({kAdamWRows, kAdamWDim}, device_),
            at::zeros({kAdamWRows, kAdamWDim}, device_),
            at::zeros({kAdamWRows}, at::TensorOptions(device_).dtype(at::kInt))};
  }
  SortedIds ids(const std::vector<std::int32_t>& of_places) const {
    return sort_ids(at::tensor(of_places, at::kInt).to(device_));
  }
  /// The next update of `state` by rows of `of_places` with random gradients.
  void update(const RowAdamWState& state, const RowAdamWRule& rule, AdamWClock& clock,
              const std::vector<std::int32_t>& of_places) const {
    clock.note(0.1 / (1 + clock.update), rule.beta1, rule.beta2);
    const at::Tensor there = clock_on(clock, device_);
    const SortedIds sorted = ids(of_places);
    const auto count = static_cast<std::int64_t>(of_places.size());
    follow_updates(state, rule, there, sorted);
    const auto seed = 10 + static_cast<std::uint64_t>(clock.update);
    update_rows(state, rule, there, sorted, run_sums(random({count, kAdamWDim}, seed), sorted, 1),
                {});
  }
};

TEST_P(AdamWRowsOn, RunsAreAddedUpAtTheirFirstPlace) {
  // Sorted: -1, 0, 4 … 4, 6; the fours go over three chunks of the additions.
  std::vector<std::int32_t> of_places(80, 4);
  of_places[3] = 6;
  of_places[5] = -1;
  of_places[79] = 0;
  const at::Tensor rows = random({80, kAdamWDim}, 2);
  const SortedIds sorted = ids(of_places);
  const at::Tensor sums = run_sums(rows, sorted, 0.5).cpu();
  at::Tensor expected = at::zeros({80, kAdamWDim});
  expected[1] = rows[79].cpu().mul(0.5);
  expected[79] = rows[3].cpu().mul(0.5);
  expected[2] =
      rows.cpu().sum(0).sub(rows[3].cpu()).sub(rows[5].cpu()).sub(rows[79].cpu()).mul(0.5);
  EXPECT_TRUE(at::allclose(sums, expected, 1e-4, 1e-5));
  EXPECT_TRUE(at::equal(sums[0], at::zeros({kAdamWDim})));
}

TEST_P(AdamWRowsOn, ARowThatWasAwayMakesItsUpdatesUpToTheBit) {
  for (const double weight_decay : {0.0, 0.1}) {
    const RowAdamWRule rule{.weight_decay = weight_decay, .lr_factor = 0.5};
    const RowAdamWState lazy = table();
    const RowAdamWState eager = table();
    AdamWClock clock;
    AdamWClock other;
    update(lazy, rule, clock, {1, 2, 5, 1});
    update(eager, rule, other, {1, 2, 5, 1});
    for (int i = 2; i < AdamWClock::kRemembered; ++i) {
      update(lazy, rule, clock, {2, 3});
      update(eager, rule, other, {2, 3});
      follow_all_updates(eager, rule, clock_on(other, device_));
    }
    EXPECT_EQ(lazy.last_update[1].item<std::int32_t>(), 1);
    EXPECT_FALSE(at::equal(lazy.values[1], eager.values[1]));
    update(lazy, rule, clock, {1, 3});
    update(eager, rule, other, {1, 3});
    EXPECT_EQ(lazy.last_update[1].item<std::int32_t>(), AdamWClock::kRemembered);
    EXPECT_TRUE(at::equal(lazy.values[1], eager.values[1]));
    EXPECT_FALSE(at::equal(lazy.values[5], eager.values[5]));
    follow_all_updates(lazy, rule, clock_on(clock, device_));
    follow_all_updates(eager, rule, clock_on(other, device_));
    EXPECT_TRUE(at::equal(lazy.values, eager.values));
    EXPECT_TRUE(at::equal(lazy.moment1, eager.moment1));
    EXPECT_TRUE(at::equal(lazy.moment2, eager.moment2));
    EXPECT_TRUE(at::equal(lazy.last_update, eager.last_update));
    // No batch has read row 6: it moves by weight decay alone.
    EXPECT_EQ(at::equal(lazy.values[6], table().values[6]), weight_decay == 0);
  }
}

TEST(AdamWClock, KeepsTheLastUpdates) {
  AdamWClock clock;
  for (int update = 1; update <= 40; ++update) clock.note(update, 0.9, 0.999);
  EXPECT_EQ(clock.update, 40);
  for (int update = 25; update <= 40; ++update) {
    const int at = update % AdamWClock::kRemembered;
    EXPECT_EQ(clock.learning_rate[at], update);
    EXPECT_FLOAT_EQ(clock.inverse_correction1[at],
                    static_cast<float>(1 / (1 - std::pow(0.9, update))));
    EXPECT_FLOAT_EQ(clock.inverse_root_correction2[at],
                    static_cast<float>(1 / std::sqrt(1 - std::pow(0.999, update))));
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, AdamWRowsOn, testing::every_device(), testing::device_name);

}  // namespace
}  // namespace diffuse
