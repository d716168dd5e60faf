// The adversarial step: how far, in which direction, and that both kernels agree.

#include "diffuse/ops/adversarial.hpp"

#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "diffuse/ops/reference/adversarial.hpp"
#include "fused_comparison.hpp"

namespace diffuse {
namespace {

constexpr std::int64_t kWidth = 19;  // whole vectors and a rest
const std::vector<std::int32_t> kBounds = {0, 4, 5, 75, 90};

struct Example {
  at::Tensor table = testing::scaled_normal({30, kWidth}, 1, 0.1);
  at::Tensor pairs = testing::scaled_normal({7, kWidth}, 2, 0.3);
  at::Tensor gradient = testing::scaled_normal({kBounds.back(), kWidth}, 3, 1e-4);
  std::vector<std::int32_t> ids{};
  std::vector<std::int32_t> pair_ids{};
  at::Tensor embeddings = at::empty({kBounds.back(), kWidth}, at::kFloat);

  Example() {
    gradient.narrow(0, 4, 1).zero_();  // the second text's
    for (std::int32_t i = 0; i < kBounds.back(); ++i) {
      ids.push_back(i % 30);
      pair_ids.push_back(i % 8 - 1);
      embeddings[i].copy_(table[ids.back()]);
      if (pair_ids.back() >= 0) embeddings[i].add_(pairs[pair_ids.back()], 2.0);
    }
  }

  at::Tensor step(double size, std::int64_t threads) const {
    const TokenTable tables[] = {{table.const_data_ptr<float>(), ids.data()},
                                 {pairs.const_data_ptr<float>(), pair_ids.data(), 2.0F}};
    WorkerPool pool(threads);
    at::Tensor step = at::empty_like(gradient);
    adversarial_step({.offsets = kBounds, .tables = tables}, kWidth, size,
                     gradient.const_data_ptr<float>(), pool, step.mutable_data_ptr<float>());
    return step;
  }
};

TEST(AdversarialStep, IsAPartOfEachTextsNormInTheGradientsDirection) {
  const Example example;
  const at::Tensor step = example.step(0.05, 1);
  for (std::size_t text = 0; text + 1 < kBounds.size(); ++text) {
    const auto part = [&](const at::Tensor& rows) {
      return rows.narrow(0, kBounds[text], kBounds[text + 1] - kBounds[text]).reshape({-1});
    };
    if (text == 1) {
      EXPECT_EQ(part(step).abs().max().item<float>(), 0) << "without a gradient";
      continue;
    }
    const double length = part(step).norm().item<double>();
    EXPECT_NEAR(length / part(example.embeddings).norm().item<double>(), 0.05, 1e-6) << text;
    EXPECT_NEAR(part(step).dot(part(example.gradient)).item<double>() /
                    (length * part(example.gradient).norm().item<double>()),
                1, 1e-5)
        << text;
  }
}

TEST(AdversarialStep, IsTheSameInTensorOperationsAndByManyThreads) {
  const Example example;
  const at::Tensor step = example.step(0.3, 1);
  EXPECT_TRUE(at::equal(example.step(0.3, 3), step));
  EXPECT_LT(
      testing::relative_error(
          reference_adversarial_step(example.embeddings, example.gradient, kBounds, 0.3), step),
      1e-5);
}

}  // namespace
}  // namespace diffuse
