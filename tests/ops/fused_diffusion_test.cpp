// The fused CPU operator against the tensor reference, kind by kind: outputs, the gradients of
// every parameter and of each row, on every instruction set that the processor has.

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/index.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/sub.h>
#include <ATen/ops/zeros_like.h>
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "diffuse/config/load.hpp"
#include "diffuse/ops/fused_diffusion.hpp"
#include "diffuse/ops/reference/diffusion.hpp"
#include "diffuse/ops/reference/diffusion_step.hpp"
#include "diffuse/ops/reference/segment_pool.hpp"

namespace diffuse {
namespace {

constexpr std::int64_t kVocabulary = 97;
const std::vector<std::int32_t> kTextOffsets = {0, 3, 60, 61, 66, 70, 170, 172};

at::Tensor scaled_normal(at::IntArrayRef shape, std::uint64_t seed, double scale = 1.0) {
  return at::randn(shape, at::detail::createCPUGenerator(seed), at::TensorOptions(at::kFloat))
      .mul_(scale);
}

DiffusionSpec base_spec(std::int64_t dim, std::int64_t radius = 1, std::int64_t steps = 2) {
  DiffusionSpec spec;
  spec.dim = dim;
  spec.hidden_dim = 2 * dim + 3;
  for (std::int64_t t = 0; t < steps; ++t)
    spec.shifts.push_back(neighbourhood_shifts(radius, t + 1, true));
  spec.norm = NormPosition::pre;
  spec.pooling = Pooling::mean_max;
  return spec;
}

/// A model's parameters, and what both sides give for one batch.
class Comparison {
 public:
  explicit Comparison(const DiffusionSpec& spec) : spec_(spec) {
    const std::int64_t k = spec.neighbours();
    const std::int64_t d = spec.dim;
    const std::int64_t h = spec.hidden_dim;
    std::uint64_t seed = 10;
    const double scale = 1.0 / std::sqrt(static_cast<double>(d));
    for (std::size_t t = 0; t < (spec.share_weights ? 1 : spec.shifts.size()); ++t) {
      StepTensors step;
      std::vector<std::int64_t> shape = {k};
      if (spec.weight != WeightKind::scalar) shape.push_back(d);
      if (spec.weight == WeightKind::full) shape.push_back(d);
      step.weight = scaled_normal(shape, ++seed, spec.weight == WeightKind::full ? scale : 0.5);
      if (!spec.alpha) step.alpha_logit = scaled_normal({d}, ++seed);
      if (spec.norm != NormPosition::none) {
        step.norm_weight = scaled_normal({d}, ++seed).add_(1.0);
        step.norm_bias = scaled_normal({d}, ++seed, 0.3);
      }
      const std::int64_t outputs = spec.function == FunctionKind::linear ? d
                                   : spec.function == FunctionKind::mlp  ? h
                                                                         : 2 * h;
      step.in_weight = scaled_normal({outputs, d}, ++seed, scale);
      step.in_bias = scaled_normal({outputs}, ++seed, 0.3);
      if (spec.function != FunctionKind::linear) {
        step.out_weight = scaled_normal({d, h}, ++seed, scale);
        step.out_bias = scaled_normal({d}, ++seed, 0.3);
      }
      steps_.push_back(step);
    }
    table_ = scaled_normal({kVocabulary, d}, ++seed);
    ids_ = at::randint(0, kVocabulary, {kTextOffsets.back()}, at::detail::createCPUGenerator(5),
                       at::TensorOptions(at::kInt));
    const std::int64_t rows =
        spec.pooling ? static_cast<std::int64_t>(kTextOffsets.size()) - 1 : kTextOffsets.back();
    output_gradient_ = scaled_normal({rows, spec.output_dim()}, ++seed);
  }

  struct Results {
    at::Tensor output;
    at::Tensor row_gradient;
    std::vector<std::pair<std::string, at::Tensor>> gradients;
  };

  Results reference() {
    std::vector<StepTensors> steps = steps_;
    std::vector<std::pair<std::string, at::Tensor>> leaves;
    for (StepTensors& step : steps) {
      for (auto& [name, tensor] : members(step)) {
        if (!tensor->defined()) continue;
        *tensor = tensor->clone().set_requires_grad(true);
        leaves.emplace_back(name, *tensor);
      }
    }
    const at::Tensor initial =
        at::index(table_, {ids_.to(at::kLong)}).detach().clone().set_requires_grad(true);
    const at::Tensor state = reference_diffusion(spec_, steps, initial, kTextOffsets);
    const at::Tensor output =
        spec_.pooling ? segment_pool(state, Segments(kTextOffsets, at::TensorOptions(at::kFloat)),
                                     *spec_.pooling)
                      : state;
    output.backward(output_gradient_);
    Results results{output.detach(), initial.grad(), {}};
    for (auto& [name, leaf] : leaves) results.gradients.emplace_back(name, leaf.grad());
    return results;
  }

  Results fused(std::int64_t threads, const FusedOptions& options) {
    WorkerPool pool(threads);
    FusedDiffusion fused(spec_, pool, options);
    std::vector<StepPointers<const float>> values;
    std::vector<StepPointers<float>> gradients;
    Results results;
    for (StepTensors& step : steps_) {
      StepTensors own;
      auto from = members(step);
      auto to = members(own);
      for (std::size_t i = 0; i < from.size(); ++i) {
        if (!from[i].second->defined()) continue;
        *to[i].second = at::zeros_like(*from[i].second);
        results.gradients.emplace_back(from[i].first, *to[i].second);
      }
      values.push_back(pointers<const float>(step));
      gradients.push_back(pointers<float>(own));
    }
    fused.set_parameters(values, true);
    const TokenTable table{table_.const_data_ptr<float>(), ids_.const_data_ptr<std::int32_t>()};
    const DiffusionInput input{.offsets = kTextOffsets, .tables = std::span(&table, 1)};
    results.output = at::empty_like(output_gradient_);
    results.row_gradient = at::empty({kTextOffsets.back(), spec_.dim}, at::kFloat);
    const auto middle = [&](const FusedDiffusion::Exchange& exchange) {
      float* to = exchange.gradient;
      const float* from = exchange.output;
      for (const std::int64_t text : exchange.texts) {
        const auto at = static_cast<std::size_t>(text);
        const std::int64_t row = spec_.pooling ? text : kTextOffsets[at];
        const std::int64_t rows = spec_.pooling ? 1 : kTextOffsets[at + 1] - kTextOffsets[at];
        const std::int64_t width = spec_.output_dim();
        std::copy_n(from, rows * width, results.output.mutable_data_ptr<float>() + row * width);
        std::copy_n(output_gradient_.const_data_ptr<float>() + row * width, rows * width, to);
        from += rows * width;
        to += rows * width;
      }
    };
    fused.forward_backward(input, middle, results.row_gradient.mutable_data_ptr<float>(), gradients,
                           fused.slot_count(kTextOffsets));
    // Without gradients the same comes out.
    at::Tensor output = at::empty_like(output_gradient_);
    fused.forward(input, output.mutable_data_ptr<float>());
    EXPECT_TRUE(at::equal(output, results.output));
    return results;
  }

 private:
  static std::vector<std::pair<std::string, at::Tensor*>> members(StepTensors& step) {
    return {{"weight", &step.weight},           {"alpha_logit", &step.alpha_logit},
            {"norm_weight", &step.norm_weight}, {"norm_bias", &step.norm_bias},
            {"in_weight", &step.in_weight},     {"in_bias", &step.in_bias},
            {"out_weight", &step.out_weight},   {"out_bias", &step.out_bias}};
  }

  template <class Float>
  static StepPointers<Float> pointers(const StepTensors& step) {
    const auto of = [](const at::Tensor& tensor) -> Float* {
      return tensor.defined() ? tensor.mutable_data_ptr<float>() : nullptr;
    };
    return {of(step.weight),    of(step.alpha_logit), of(step.norm_weight), of(step.norm_bias),
            of(step.in_weight), of(step.in_bias),     of(step.out_weight),  of(step.out_bias)};
  }

  DiffusionSpec spec_;
  std::vector<StepTensors> steps_;
  at::Tensor table_;
  at::Tensor ids_;
  at::Tensor output_gradient_;
};

/// Largest difference as a share of the largest reference value.
double relative_error(const at::Tensor& value, const at::Tensor& reference) {
  return at::sub(value, reference).abs().max().item<double>() /
         std::max(reference.abs().max().item<double>(), 1e-3);
}

struct Case {
  std::string name;
  DiffusionSpec spec;

  void expect_reference(const FusedOptions& options) const {
    SCOPED_TRACE(fmt::format("{}, pieces of {}", options.instructions, options.piece_rows));
    Comparison comparison(spec);
    const Comparison::Results expected = comparison.reference();
    const Comparison::Results found = comparison.fused(1, options);
    EXPECT_LT(relative_error(found.output, expected.output), 2e-6);
    EXPECT_LT(relative_error(found.row_gradient, expected.row_gradient), 1e-5);
    ASSERT_EQ(found.gradients.size(), expected.gradients.size());
    for (std::size_t i = 0; i < found.gradients.size(); ++i)
      EXPECT_LT(relative_error(found.gradients[i].second, expected.gradients[i].second), 1e-5)
          << found.gradients[i].first << " of parameter " << i;
  }
};

std::string print_name(const testing::TestParamInfo<Case>& info) { return info.param.name; }

class FusedOperator : public testing::TestWithParam<Case> {};

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
        spec.share_weights = true;
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
    add("no_steps", spec);
  }
  return all;
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
      gradient.data(), {}, 4);
  EXPECT_EQ(output, row);
  for (const float value : gradient) EXPECT_FLOAT_EQ(value, 1.0F / 25);

  row[3] = std::numeric_limits<float>::quiet_NaN();
  fused.forward({.offsets = offsets, .tables = std::span(&table, 1)}, output.data());
  for (std::size_t c = 0; c < 16; ++c) EXPECT_EQ(std::isnan(output[c]), c == 3);
}

INSTANTIATE_TEST_SUITE_P(Kinds, FusedOperator, testing::ValuesIn(cases()), print_name);

}  // namespace
}  // namespace diffuse
