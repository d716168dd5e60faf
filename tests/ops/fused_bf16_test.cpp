// Products of the fused operator in bf16, against tensor operations that round the same numbers.

#include <ATen/ops/add.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/sigmoid.h>
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <string>
#include <vector>

#include "diffuse/config/load.hpp"
#include "diffuse/ops/reference/neighbour_sum.hpp"
#include "fused_comparison.hpp"

namespace diffuse {
namespace {

using testing::base_spec;
using testing::Comparison;
using testing::relative_error;

/// Rounded to bf16 on the way there, untouched on the way back.
at::Tensor rounded(const at::Tensor& x) {
  return at::add(x, at::sub(x.detach().to(at::kBFloat16).to(at::kFloat), x.detach()));
}

/// x · wᵀ of rounded numbers, and so its gradients.
at::Tensor rounded_product(const at::Tensor& x, const at::Tensor& weight) {
  at::Tensor y = at::matmul(rounded(x), rounded(weight).t());
  if (y.requires_grad()) y.register_hook([](const at::Tensor& g) { return rounded(g); });
  return y;
}

/// The steps of DiffusionSpec with all matrix products rounded.
at::Tensor rounded_diffusion(const DiffusionSpec& spec, std::span<const StepTensors> steps,
                             const at::Tensor& initial, std::span<const std::int32_t> offsets) {
  std::vector<std::int64_t> all;
  for (const auto& shifts : spec.shifts) all.insert(all.end(), shifts.begin(), shifts.end());
  const NeighbourMasks masks(offsets, all, initial.device());
  at::Tensor state = initial;
  for (std::size_t t = 0; t < spec.shifts.size(); ++t) {
    const StepTensors& own = steps[spec.set_of(t)];
    at::Tensor x = state;
    at::Tensor weight = own.in_weight;
    at::Tensor bias = own.in_bias;
    if (spec.norm == NormPosition::pre) {
      // Factor and shift of a norm before f go into its first matrix and bias.
      x = at::layer_norm(x, {spec.dim}, {}, {}, 1e-5);
      weight = at::mul(weight, own.norm_weight);
      bias = at::add(bias, at::matmul(own.in_weight, own.norm_bias));
    }
    at::Tensor u = at::add(rounded_product(x, weight), bias);
    if (spec.function == FunctionKind::glu) {
      const auto halves = u.chunk(2, 1);
      u = at::mul(halves[0], activate(halves[1], spec.activation));
    } else {
      u = activate(u, spec.activation);
    }
    if (spec.function != FunctionKind::linear)
      u = at::add(rounded_product(u, own.out_weight), own.out_bias);
    const at::Tensor& base = spec.base == BaseState::initial ? initial : state;
    const auto normalised = [&](const at::Tensor& h) {
      return spec.norm == NormPosition::post
                 ? at::layer_norm(h, {spec.dim}, own.norm_weight, own.norm_bias, 1e-5)
                 : h;
    };
    if (spec.weight != WeightKind::full) {
      state = normalised(
          spec.alpha ? diffusion_step(base, u, own.weight, *spec.alpha, spec.shifts[t], masks)
                     : diffusion_step(base, u, own.weight, at::sigmoid(own.alpha_logit),
                                      spec.shifts[t], masks));
      continue;
    }
    std::vector<at::Tensor> rows;
    for (const std::int64_t shift : spec.shifts[t]) rows.push_back(shift_rows(u, shift, masks));
    // (1 - alpha) goes into the matrices before they are rounded.
    const at::Tensor matrices = at::mul(own.weight, 1.0 - *spec.alpha);
    const at::Tensor side_by_side = matrices.permute({1, 0, 2}).reshape({spec.dim, -1});
    state = normalised(at::add(rounded_product(at::cat(rows, 1), side_by_side), base, *spec.alpha));
  }
  return state;
}

double mean_difference(const at::Tensor& a, const at::Tensor& b) {
  return at::sub(a, b).abs().mean().item<double>();
}

/// A number close to the border between two of bf16 may go to either: few do, so that `found` is
/// far closer to `expected` than what was never rounded.
void expect_rounded(const at::Tensor& found, const at::Tensor& expected, const at::Tensor& exact,
                    const std::string& what) {
  const double rounding = mean_difference(exact, expected);
  if (relative_error(exact, expected) < 1e-6)  // no product on the way, as to the last bias
    EXPECT_LT(relative_error(found, expected), 1e-5) << what;
  else
    EXPECT_LT(mean_difference(found, expected), 0.3 * rounding) << what;
}

struct Kind {
  std::string name;
  DiffusionSpec spec;
};

class Bf16Products : public ::testing::TestWithParam<Kind> {};

TEST_P(Bf16Products, RoundWhatTheyMultiplyAndNothingElse) {
  for (const std::string_view instructions : FusedDiffusion::instruction_sets(true)) {
    for (const std::int64_t piece_rows : {0, 20}) {
      SCOPED_TRACE(fmt::format("{}, pieces of {}", instructions, piece_rows));
      Comparison comparison(GetParam().spec);
      const auto expected = comparison.reference(rounded_diffusion);
      const auto exact = comparison.reference();
      const auto found = comparison.fused(
          1, {.instructions = instructions, .piece_rows = piece_rows, .bf16 = true});
      EXPECT_GT(mean_difference(exact.output, expected.output), 0);
      expect_rounded(found.output, expected.output, exact.output, "output");
      expect_rounded(found.row_gradient, expected.row_gradient, exact.row_gradient, "rows");
      for (std::size_t i = 0; i < found.gradients.size(); ++i)
        expect_rounded(found.gradients[i].second, expected.gradients[i].second,
                       exact.gradients[i].second, found.gradients[i].first);
    }
  }
}

TEST_P(Bf16Products, GiveTheSameBytesWithAnyNumberOfThreads) {
  Comparison comparison(GetParam().spec);
  for (const std::int64_t piece_rows : {0, 20}) {
    const FusedOptions options{.piece_rows = piece_rows, .bf16 = true};
    const auto one = comparison.fused(1, options);
    const auto many = comparison.fused(3, options);
    EXPECT_TRUE(at::equal(one.output, many.output));
    EXPECT_TRUE(at::equal(one.row_gradient, many.row_gradient));
    for (std::size_t i = 0; i < one.gradients.size(); ++i)
      EXPECT_TRUE(at::equal(one.gradients[i].second, many.gradients[i].second))
          << one.gradients[i].first;
  }
}

std::vector<Kind> kinds() {
  std::vector<Kind> all;
  for (const WeightKind weight : {WeightKind::channel, WeightKind::full})
    for (const FunctionKind function : {FunctionKind::linear, FunctionKind::mlp, FunctionKind::glu})
      for (const NormPosition norm : {NormPosition::none, NormPosition::pre})
        for (const std::int64_t dim : {20, 64}) {
          DiffusionSpec spec = base_spec(dim);
          spec.weight = weight;
          spec.function = function;
          spec.norm = norm;
          all.push_back({fmt::format("{}_{}_{}_{}", enum_name(weight), enum_name(function),
                                     enum_name(norm), dim),
                         spec});
        }
  const auto add = [&all](const std::string& name, const auto& change) {
    DiffusionSpec spec = base_spec(20);
    change(spec);
    all.push_back({name, spec});
  };
  add("norm_after", [](DiffusionSpec& spec) { spec.norm = NormPosition::post; });
  add("full_norm_after_initial_shared", [](DiffusionSpec& spec) {
    spec.norm = NormPosition::post;
    spec.weight = WeightKind::full;
    spec.base = BaseState::initial;
    spec.parameter_sets = 1;
  });
  add("scalar_learned_alpha", [](DiffusionSpec& spec) {
    spec.weight = WeightKind::scalar;
    spec.alpha.reset();
  });
  add("relu_maximum", [](DiffusionSpec& spec) {
    spec.activation = Activation::relu;
    spec.pooling = Pooling::max;
  });
  add("tanh_rows", [](DiffusionSpec& spec) {
    spec.activation = Activation::tanh;
    spec.pooling.reset();
  });
  add("three_channels", [](DiffusionSpec& spec) { spec.dim = 3; });
  return all;
}

INSTANTIATE_TEST_SUITE_P(Kinds, Bf16Products, ::testing::ValuesIn(kinds()),
                         [](const auto& kind) { return kind.param.name; });

// One step of a linear f on rows straight from the table: nothing is rounded that could fall to
// either side.
TEST(FusedBf16, RoundsToNearestAndSumsInFloat32) {
  DiffusionSpec spec = base_spec(300, 1, 1);
  spec.norm = NormPosition::none;
  spec.activation = Activation::identity;
  Comparison comparison(spec);
  const auto expected = comparison.reference(rounded_diffusion);
  for (const std::string_view instructions : FusedDiffusion::instruction_sets(true)) {
    const auto found = comparison.fused(1, {.instructions = instructions, .bf16 = true});
    EXPECT_LT(relative_error(found.output, expected.output), 2e-6) << instructions;
    EXPECT_GT(relative_error(found.output, comparison.reference().output), 1e-4) << instructions;
  }
}

// Infinities and NaNs must reach the loss, where training stops for them, not become numbers.
TEST(FusedBf16, NumbersThatAreNoneStayWhatTheyAre) {
  DiffusionSpec spec;
  spec.dim = 16;
  spec.shifts = {{0}};
  spec.activation = Activation::identity;
  spec.norm = NormPosition::none;
  spec.alpha = 0.5;
  spec.pooling = Pooling::mean;
  std::vector<float> row(16, 0.0F);
  std::vector<float> in(16 * 16, 0.0F);
  for (std::size_t c = 0; c < 16; ++c) in[c * 17] = 1.0F;
  const std::vector<float> ones(16, 1.0F);
  const std::vector<float> zeros(16, 0.0F);
  const StepPointers<const float> step = {
      .weight = ones.data(), .in_weight = in.data(), .in_bias = zeros.data()};
  const std::vector<std::int32_t> offsets = {0, 1};
  const std::vector<std::int32_t> ids = {0};
  const TokenTable table{row.data(), ids.data()};
  WorkerPool pool(1);
  for (const std::string_view instructions : FusedDiffusion::instruction_sets(true)) {
    FusedDiffusion fused(spec, pool, {.instructions = instructions, .bf16 = true});
    fused.set_parameters(std::span(&step, 1), false);
    std::vector<float> output(16);
    // All bits of the fraction set: rounding as a number would carry into the sign.
    row[3] = std::bit_cast<float>(0x7FFFFFFFU);
    fused.forward({.offsets = offsets, .tables = std::span(&table, 1)}, output.data());
    EXPECT_TRUE(std::isnan(output[3])) << instructions;
    row[3] = std::numeric_limits<float>::infinity();
    fused.forward({.offsets = offsets, .tables = std::span(&table, 1)}, output.data());
    EXPECT_EQ(output[3], std::numeric_limits<float>::infinity()) << instructions;
    row[3] = 1.00390625F;  // f has it halfway between 1 and the next: it goes to the even one
    fused.forward({.offsets = offsets, .tables = std::span(&table, 1)}, output.data());
    EXPECT_EQ(output[3], 0.5F * 1.00390625F + 0.5F) << instructions;
  }
}

}  // namespace
}  // namespace diffuse
