// Sequences of a batch do not touch one another, whatever stands in them: an infinity or a NaN in
// one leaves the values and the gradients of the others what they are without it, bit for bit.

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "diffuse/ops/reference/diffusion_step.hpp"
#include "diffuse/ops/reference/segment_pool.hpp"
#include "support/on_device.hpp"

namespace diffuse {
namespace {

constexpr std::int64_t kRowDim = 5;
/// The second and the fourth sequence are the spoiled ones; the last is clean and the last row of
/// the batch, whose neighbours lie beyond its end.
const std::vector<std::int32_t> kSequenceOffsets = {0, 3, 8, 9, 16, 20};
constexpr std::int64_t kSpoiled[] = {1, 3};

at::Tensor normal(at::IntArrayRef shape, std::uint64_t seed) {
  return at::randn(shape, at::detail::createCPUGenerator(seed), at::TensorOptions(at::kFloat));
}

/// What `work` makes of rows, and the gradient that it gives back for one of the shape of its
/// output; both where sequence b's rows are `rows` and its share of the gradient `gradient`.
struct Outcome {
  at::Tensor output;
  at::Tensor row_gradient;
};
using Work = std::function<at::Tensor(const at::Tensor&)>;

Outcome outcome(const Work& work, const at::Tensor& rows, const at::Tensor& gradient) {
  const at::Tensor leaf = rows.detach().clone().set_requires_grad(true);
  const at::Tensor output = work(leaf);
  output.backward(gradient);
  return {output.detach().cpu(), leaf.grad().cpu()};
}

class Isolation : public testing::OnDevice {
 protected:
  /// `by_sequence`: whether `work` gives a row for each sequence and not for each row.
  void expect_clean(const Work& work, bool by_sequence, std::int64_t width,
                    const std::string& what) const {
    const at::Tensor rows = normal({kSequenceOffsets.back(), kRowDim}, 1).to(device_);
    const auto count = static_cast<std::int64_t>(kSequenceOffsets.size()) - 1;
    const at::Tensor gradient =
        normal({by_sequence ? count : kSequenceOffsets.back(), width}, 2).to(device_);
    const Outcome clean = outcome(work, rows, gradient);
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    for (const float poison : {kInfinity, -kInfinity, std::numeric_limits<float>::quiet_NaN()}) {
      const at::Tensor spoiled_rows = rows.clone();
      const at::Tensor spoiled_gradient = gradient.clone();
      for (const std::int64_t b : kSpoiled) {
        part(spoiled_rows, b, false).fill_(poison);
        part(spoiled_gradient, b, by_sequence).fill_(poison);
      }
      const Outcome spoiled = outcome(work, spoiled_rows, spoiled_gradient);
      for (const std::int64_t b : {0, 2, 4}) {
        EXPECT_TRUE(
            at::equal(part(spoiled.output, b, by_sequence), part(clean.output, b, by_sequence)))
            << what << ", output of sequence " << b << " beside " << poison;
        EXPECT_TRUE(
            at::equal(part(spoiled.row_gradient, b, false), part(clean.row_gradient, b, false)))
            << what << ", gradient of sequence " << b << " beside " << poison;
      }
      EXPECT_FALSE(part(spoiled.output, 1, by_sequence).isfinite().all().item<bool>())
          << what << ": nothing was spoiled";
    }
  }

 private:
  static at::Tensor part(const at::Tensor& tensor, std::int64_t b, bool by_sequence) {
    if (by_sequence) return tensor.narrow(0, b, 1);
    const std::int64_t begin = kSequenceOffsets[static_cast<std::size_t>(b)];
    return tensor.narrow(0, begin, kSequenceOffsets[static_cast<std::size_t>(b) + 1] - begin);
  }
};

TEST_P(Isolation, OfADiffusionStepForEveryFormOfWeightRadiusAndDilation) {
  for (const std::int64_t radius : {1, 2, 5}) {
    for (const std::int64_t dilation : {1, 3, 50}) {
      const std::vector<std::int64_t> shifts = neighbourhood_shifts(radius, dilation, true);
      const NeighbourMasks masks(kSequenceOffsets, shifts, device_);
      std::vector<std::int64_t> shape = {static_cast<std::int64_t>(shifts.size())};
      for (int dimensions = 1; dimensions <= 3; ++dimensions, shape.push_back(kRowDim)) {
        const at::Tensor weight = normal(shape, 3).to(device_).set_requires_grad(true);
        const at::Tensor alpha = normal({kRowDim}, 4).to(device_).sigmoid();
        const std::string what = "radius " + std::to_string(radius) + ", dilation " +
                                 std::to_string(dilation) + ", weight of " +
                                 std::to_string(dimensions) + " dimensions";
        expect_clean(
            [&](const at::Tensor& rows) {
              return diffusion_step(rows, rows, weight, 0.5, shifts, masks);
            },
            false, kRowDim, what);
        expect_clean(
            [&](const at::Tensor& rows) {
              return diffusion_step(rows, rows, weight, alpha, shifts, masks);
            },
            false, kRowDim, what + ", learned alpha");
      }
    }
  }
}

TEST_P(Isolation, OfEveryPooling) {
  const Segments segments(kSequenceOffsets, at::TensorOptions(device_).dtype(at::kFloat));
  for (const Pooling pooling : {Pooling::mean, Pooling::max, Pooling::mean_max}) {
    expect_clean([&](const at::Tensor& rows) { return segment_pool(rows, segments, pooling); },
                 true, pooling == Pooling::mean_max ? 2 * kRowDim : kRowDim,
                 "pooling " + std::to_string(static_cast<int>(pooling)));
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, Isolation, testing::every_device(), testing::device_name);

}  // namespace
}  // namespace diffuse
