// The fused CPU operator against the tensor reference, kind by kind: outputs, the gradients of
// every parameter and of each row, on every instruction set that the processor has.

#include <ATen/ops/equal.h>
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "diffuse/config/load.hpp"
#include "fused_comparison.hpp"

namespace diffuse {
namespace {

using testing::base_spec;
using testing::Comparison;
using testing::relative_error;

void expect_results(const Comparison::Results& found, const Comparison::Results& expected,
                    double off_output, double off_gradients) {
  EXPECT_LT(relative_error(found.output, expected.output), off_output);
  EXPECT_LT(relative_error(found.row_gradient, expected.row_gradient), off_gradients);
  ASSERT_EQ(found.gradients.size(), expected.gradients.size());
  for (std::size_t i = 0; i < found.gradients.size(); ++i)
    EXPECT_LT(relative_error(found.gradients[i].second, expected.gradients[i].second),
              off_gradients)
        << found.gradients[i].first << " of parameter " << i;
}

struct Case {
  std::string name;
  DiffusionSpec spec;

  void expect_reference(const FusedOptions& options) const {
    SCOPED_TRACE(fmt::format("{}, pieces of {}", options.instructions, options.piece_rows));
    Comparison comparison(spec);
    const Comparison::Results expected = comparison.reference();
    expect_results(comparison.fused(1, options), expected, 2e-6, 1e-5);
  }
};

std::string print_name(const ::testing::TestParamInfo<Case>& info) { return info.param.name; }

class FusedOperator : public ::testing::TestWithParam<Case> {};

TEST_P(FusedOperator, ComputesWhatTheReferenceDoes) {
  for (const std::string_view instructions : FusedDiffusion::instruction_sets())
    GetParam().expect_reference({.instructions = instructions});
}

// Texts of 57 and 100 rows in pieces that are shorter than what some kinds' results depend on.
TEST_P(FusedOperator, ComputesPiecesOfLongTextsAsTheReferenceDoesTheWhole) {
  for (const std::string_view instructions : FusedDiffusion::instruction_sets())
    GetParam().expect_reference({.instructions = instructions, .piece_rows = 9});
}

TEST_P(FusedOperator, GivesTheSameBytesWithAnyNumberOfThreads) {
  for (const std::int64_t piece_rows : {0, 20}) {
    Comparison comparison(GetParam().spec);
    const Comparison::Results one = comparison.fused(1, {.piece_rows = piece_rows});
    for (const std::int64_t threads : {2, 3}) {
      const Comparison::Results many = comparison.fused(threads, {.piece_rows = piece_rows});
      EXPECT_TRUE(at::equal(one.output, many.output));
      EXPECT_TRUE(at::equal(one.row_gradient, many.row_gradient));
      for (std::size_t i = 0; i < one.gradients.size(); ++i)
        EXPECT_TRUE(at::equal(one.gradients[i].second, many.gradients[i].second))
            << one.gradients[i].first;
    }
  }
}

TEST_P(FusedOperator, ComputesAgainToTheByteWhatItDoesNotKeep) {
  const Case& own = GetParam();
  for (const std::string_view instructions : FusedDiffusion::instruction_sets(true)) {
    for (const std::int64_t piece_rows : {0, 20}) {
      const FusedOptions keeps{
          .instructions = instructions, .piece_rows = piece_rows, .bf16 = piece_rows > 0};
      FusedOptions activates_again = keeps;
      activates_again.cache_bytes = 0;
      FusedOptions repeats = keeps;
      repeats.most_kept_bytes = 0;
      Comparison comparison(own.spec);
      const Comparison::Results kept = comparison.fused(1, keeps);
      for (const FusedOptions& options : {activates_again, repeats}) {
        const Comparison::Results again = comparison.fused(1, options);
        EXPECT_TRUE(at::equal(kept.output, again.output));
        EXPECT_TRUE(at::equal(kept.row_gradient, again.row_gradient));
        for (std::size_t i = 0; i < kept.gradients.size(); ++i)
          EXPECT_TRUE(at::equal(kept.gradients[i].second, again.gradients[i].second))
              << kept.gradients[i].first << " of parameter " << i;
      }
    }
  }
}

std::vector<Case> cases() {
  std::vector<Case> all;
  const auto add = [&all](const std::string& name, const DiffusionSpec& spec) {
    all.push_back({name, spec});
  };
  for (const std::int64_t dim : {16, 20, 64}) add(fmt::format("dim_{}", dim), base_spec(dim));
  add("dim_300", base_spec(300, 1, 1));
  for (const std::int64_t radius : {2, 3})
    add(fmt::format("radius_{}", radius), base_spec(20, radius));
  for (const Activation kind : {Activation::identity, Activation::relu, Activation::gelu,
                                Activation::silu, Activation::tanh}) {
    DiffusionSpec spec = base_spec(20);
    spec.activation = kind;
    add(fmt::format("activation_{}", enum_name(kind)), spec);
  }
  for (const WeightKind weight : {WeightKind::scalar, WeightKind::channel, WeightKind::full}) {
    for (const FunctionKind function :
         {FunctionKind::linear, FunctionKind::mlp, FunctionKind::glu}) {
      for (const NormPosition norm : {NormPosition::none, NormPosition::pre, NormPosition::post}) {
        DiffusionSpec spec = base_spec(20, 2);
        spec.weight = weight;
        spec.function = function;
        spec.norm = norm;
        add(fmt::format("{}_{}_{}", enum_name(weight), enum_name(function), enum_name(norm)), spec);
        spec.alpha.reset();
        spec.base = BaseState::initial;
        spec.parameter_sets = 1;
        add(fmt::format("{}_{}_{}_learned_alpha_initial_shared", enum_name(weight),
                        enum_name(function), enum_name(norm)),
            spec);
      }
    }
  }
  {
    DiffusionSpec spec = base_spec(16);
    spec.alpha.reset();
    add("learned_alpha", spec);
  }
  for (const Pooling pooling : {Pooling::mean, Pooling::max}) {
    DiffusionSpec spec = base_spec(20);
    spec.pooling = pooling;
    add(fmt::format("pooling_{}", enum_name(pooling)), spec);
  }
  {
    DiffusionSpec spec = base_spec(20);
    spec.pooling.reset();
    add("rows", spec);
    spec.dim = 16;
    add("rows_16", spec);
  }
  {
    DiffusionSpec spec = base_spec(16);
    for (auto& shifts : spec.shifts) shifts = {-2, -1, 0};
    add("causal", spec);
    for (auto& shifts : spec.shifts) shifts = {-1, 1};
    add("without_itself", spec);
    spec.shifts = {{-1, 0, 1}, {-2, 0, 2}, {-4, 0, 4}, {-64, 0, 64}};
    add("doubling", spec);
    spec.shifts.clear();
    for (std::int64_t t = 0; t < 13; ++t)
      spec.shifts.push_back(neighbourhood_shifts(1, std::int64_t{1} << t % 5, true));
    spec.parameter_sets = 1;
    add("thirteen_steps", spec);
    spec.parameter_sets = 5;
    add("thirteen_steps_of_five_sets", spec);
    spec.parameter_sets = 0;
    spec.shifts.clear();
    add("no_steps", spec);
  }
  return all;
}

// What the estimate before a training counts on.
TEST(FusedDiffusion, TakesFewBytesForATextThatItComputesAgain) {
  DiffusionSpec spec = base_spec(128, 1, 0);
  for (int t = 0; t < 16; ++t)
    spec.shifts.push_back(neighbourhood_shifts(1, std::int64_t{1} << t, true));
  constexpr std::int64_t kMiB = 1024 * 1024;
  EXPECT_GT(FusedDiffusion::thread_bytes(spec, 4096), 64 * kMiB);
  // The state and what is activated of each step, and four rows beside them: 19 kB a token.
  EXPECT_LT(FusedDiffusion::thread_bytes(spec, 4096), 80 * kMiB);
  EXPECT_LT(FusedDiffusion::thread_bytes(spec, 65536), 300 * kMiB);
}

// What is padded is 1,000 deviations from the mean then. Compared with double: so far from zero
// float32 itself costs some 1e-4 of a deviation.
TEST(FusedDiffusion, NormalisesRowsFarFromZeroAsTheReferenceDoes) {
  for (const std::int64_t dim : {1, 3, 17, 20}) {
    DiffusionSpec spec = base_spec(dim, 1, 1);
    spec.alpha = 0.0;  // or the rows themselves would hide what becomes of their deviations
    spec.pooling = Pooling::mean;
    Comparison comparison(spec);
    comparison.move_rows(1000);
    const Comparison::Results expected = comparison.reference(reference_diffusion, at::kDouble);
    for (const std::string_view instructions : FusedDiffusion::instruction_sets()) {
      SCOPED_TRACE(fmt::format("{}, {} channels", instructions, dim));
      expect_results(comparison.fused(1, {.instructions = instructions}), expected, 2e-3, 3e-3);
    }
  }
}

// One row alone: all rows of the text share the maximum, in each piece of it.
TEST(FusedDiffusion, TiesOfPiecesShareTheGradientOfTheMaximum) {
  DiffusionSpec spec;
  spec.dim = 16;
  spec.pooling = Pooling::max;
  const std::vector<std::int32_t> offsets = {0, 25};
  const std::vector<std::int32_t> ids(25, 0);
  std::vector<float> row(16, 2.0F);
  const TokenTable table{row.data(), ids.data()};
  WorkerPool pool(1);
  FusedDiffusion fused(spec, pool, {.piece_rows = 7});
  std::vector<float> output(16);
  std::vector<float> gradient(25 * 16);
  fused.forward_backward(
      {.offsets = offsets, .tables = std::span(&table, 1)},
      [&](const FusedDiffusion::Exchange& exchange) {
        std::copy_n(exchange.output, 16, output.data());
        std::fill_n(exchange.gradient, 16, 1.0F);
      },
      {gradient.data()}, {}, 4);
  EXPECT_EQ(output, row);
  for (const float value : gradient) EXPECT_FLOAT_EQ(value, 1.0F / 25);

  row[3] = std::numeric_limits<float>::quiet_NaN();
  fused.forward({.offsets = offsets, .tables = std::span(&table, 1)}, output.data());
  for (std::size_t c = 0; c < 16; ++c) EXPECT_EQ(std::isnan(output[c]), c == 3);
}

INSTANTIATE_TEST_SUITE_P(Kinds, FusedOperator, ::testing::ValuesIn(cases()), print_name);

}  // namespace
}  // namespace diffuse
