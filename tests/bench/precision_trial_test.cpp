// How a precision is timed and chosen, on a clock of the test's own.

#include "bench/precision_trial.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <vector>

#include "bench/refusal.hpp"
#include "diffuse/base/error.hpp"

namespace diffuse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A device that takes `launch_s` for a call whatever its size, or as long as its units of
/// arithmetic do, by the tokens; and `cold_s` besides for the first call of every size.
struct Cost {
  double launch_s = 0;
  double token_s = 0;
  double cold_s = 0;
};

class FakeSubject final : public TrialSubject {
 public:
  FakeSubject(TrialSize own, std::map<Precision, Cost> costs)
      : own_(own), costs_(std::move(costs)) {}

  TrialSize own_size() const override { return own_; }
  double work(const TrialSize& size) const override {
    return 1e6 * static_cast<double>(size.texts * size.tokens);
  }
  void prepare(Precision precision) override {
    precision_ = precision;
    cold_ = true;
  }
  void load(const TrialSize& size) override {
    if (most_tokens > 0 && size.texts * size.tokens > most_tokens) throw Error("too long");
    size_ = size;
    cold_ = true;
    sizes.push_back(size);
  }
  void call() override {
    const Cost& cost = costs_.at(precision_);
    const double work_s = cost.token_s * static_cast<double>(size_.texts * size_.tokens);
    now_s += std::max(cost.launch_s, work_s) + (cold_ ? cost.cold_s : 0);
    cold_ = false;
  }

  TriedPrecision time(Precision precision, const std::function<bool(double)>& enough = {}) {
    return PrecisionTrial({}, [this] { return now_s; }).time(*this, precision, enough);
  }

  double now_s = 0;
  std::vector<TrialSize> sizes;
  std::int64_t most_tokens = 0;  ///< of a call; 0: any number

 private:
  TrialSize own_;
  std::map<Precision, Cost> costs_;
  Precision precision_ = Precision::fp32;
  TrialSize size_;
  bool cold_ = true;
};

TEST(PrecisionTrial, AColdFirstCallDoesNotMatter) {
  // A hundred and a thousand times as long as the ones behind it.
  FakeSubject subject({64, 512},
                      {{Precision::fp32, {0.02, 0, 2}}, {Precision::bf16, {0.017, 0, 17.1}}});
  const TriedPrecision fp32 = subject.time(Precision::fp32);
  const TriedPrecision bf16 = subject.time(Precision::bf16);
  EXPECT_NEAR(fp32.call_s.value(), 0.02, 1e-9);
  EXPECT_NEAR(bf16.call_s.value(), 0.017, 1e-9);
  EXPECT_FALSE(bf16.estimated);
  EXPECT_EQ(fastest_precision(std::vector{fp32, bf16}), 1U);
}

TEST(PrecisionTrial, EachSizeHasItsOwnFastest) {
  // As measured on a GPU: a small call waits for the host, whose overhead is less in fp32.
  const std::map<Precision, Cost> costs = {{Precision::fp32, {0.005, 6.7e-6, 1}},
                                           {Precision::tf32, {0.0055, 2.56e-6, 1}},
                                           {Precision::bf16, {0.007, 1.3e-6, 1}}};
  const auto chosen = [&](TrialSize size) {
    FakeSubject subject(size, costs);
    std::vector<TriedPrecision> tried;
    for (const auto& [precision, cost] : costs) tried.push_back(subject.time(precision));
    return tried[fastest_precision(tried)].precision;
  };
  EXPECT_EQ(chosen({1, 64}), Precision::fp32);
  EXPECT_EQ(chosen({16, 128}), Precision::tf32);
  EXPECT_EQ(chosen({64, 512}), Precision::bf16);
}

TEST(PrecisionTrial, WhatIsTooSlowIsEstimatedFromALargeCallAndNotMade) {
  // 32 texts of 512 tokens: 40 s.
  constexpr double kTokenS = 40.0 / (32 * 512);
  FakeSubject subject({32, 512}, {{Precision::fp32, {0.2, kTokenS, 1}}});
  const TriedPrecision tried = subject.time(Precision::fp32);
  EXPECT_TRUE(tried.estimated);
  EXPECT_NEAR(tried.call_s.value(), 40, 1e-6) << "the pace of the first, small calls is 51 s";
  EXPECT_EQ(tried.tokens, 512);
  EXPECT_EQ(tried.texts, 2);
  EXPECT_LT(subject.now_s, 20) << "less than one call of the case";
}

TEST(PrecisionTrial, ASlowSingleTextIsEstimatedFromAShorterOne) {
  FakeSubject subject({1, 65536}, {{Precision::fp32, {0, 1e-3, 0}}});
  const TriedPrecision tried = subject.time(Precision::fp32);
  EXPECT_TRUE(tried.estimated);
  EXPECT_EQ(tried.texts, 1);
  EXPECT_LE(tried.tokens, 3000);
  EXPECT_NEAR(tried.call_s.value(), 65.536, 1e-6);
}

TEST(PrecisionTrial, StopsWhereItKnowsEnough) {
  FakeSubject subject({64, 512}, {{Precision::fp32, {0.01, 0, 5}}});
  const TriedPrecision tried =
      subject.time(Precision::fp32, [](double call_s) { return call_s < 10; });
  EXPECT_THAT(subject.sizes, ElementsAre(TrialSize{2, 32}));
  EXPECT_TRUE(tried.estimated);
  EXPECT_NEAR(tried.call_s.value(), 0.01 * 64 * 512 / (2 * 32), 1e-9);
}

TEST(PrecisionTrial, ASizeThatCannotBeTakenLeavesTheEstimate) {
  FakeSubject subject({64, 512}, {{Precision::fp32, {0.01, 0, 0}}});
  subject.most_tokens = 64;
  const TriedPrecision tried = subject.time(Precision::fp32);
  EXPECT_TRUE(tried.estimated);
  EXPECT_NEAR(tried.call_s.value(), 0.01 * 64 * 512 / (2 * 32), 1e-9);
  subject.most_tokens = 1;
  EXPECT_FALSE(subject.time(Precision::fp32).call_s.has_value());
}

TEST(PrecisionTrial, WhatFailedIsChosenOnlyWhereAllDid) {
  TriedPrecision failed;
  TriedPrecision slow;
  slow.call_s = 100;
  EXPECT_EQ(fastest_precision(std::vector{failed, slow}), 1U);
  EXPECT_EQ(fastest_precision(std::vector{failed, failed}), 0U);
  EXPECT_THROW(fastest_precision({}), Error);
}

TEST(DevicePrecisions, OnTheCpuLeaveOutWhatItIsSlowIn) {
  EXPECT_THAT(device_precisions(at::kCPU), ElementsAre(Precision::fp32, Precision::bf16));
}

TEST(Refusal, TheBudgetIsMetByTheWarmPace) {
  BenchPlan plan;
  plan.budget_s = 20;
  FakeSubject subject({64, 512}, {{Precision::bf16, {0.017, 0, 17.1}}});
  EXPECT_THAT(refusal_for_time(subject.time(Precision::bf16), plan), IsEmpty());
  FakeSubject slow({64, 512}, {{Precision::bf16, {0, 1e-3, 0}}});
  EXPECT_THAT(refusal_for_time(slow.time(Precision::bf16), plan),
              HasSubstr("about 32.8s a call, 2m 11s in all, beyond --budget 20"));
  EXPECT_THAT(refusal_for_time({}, plan), IsEmpty()) << "what is not known is no refusal";
}

}  // namespace
}  // namespace diffuse
