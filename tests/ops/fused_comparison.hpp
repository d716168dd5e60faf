#pragma once

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/index.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/sub.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "diffuse/ops/fused_diffusion.hpp"
#include "diffuse/ops/reference/diffusion.hpp"
#include "diffuse/ops/reference/diffusion_step.hpp"
#include "diffuse/ops/reference/segment_pool.hpp"

namespace diffuse::testing {

inline constexpr std::int64_t kVocabulary = 97;
inline const std::vector<std::int32_t> kTextOffsets = {0, 3, 60, 61, 66, 70, 170, 172};

inline at::Tensor scaled_normal(at::IntArrayRef shape, std::uint64_t seed, double scale = 1.0) {
  return at::randn(shape, at::detail::createCPUGenerator(seed), at::TensorOptions(at::kFloat))
      .mul_(scale);
}

inline DiffusionSpec base_spec(std::int64_t dim, std::int64_t radius = 1, std::int64_t steps = 2) {
  DiffusionSpec spec;
  spec.dim = dim;
  spec.hidden_dim = 2 * dim + 3;
  for (std::int64_t t = 0; t < steps; ++t)
    spec.shifts.push_back(neighbourhood_shifts(radius, t + 1, true));
  spec.norm = NormPosition::pre;
  spec.pooling = Pooling::mean_max;
  return spec;
}

/// A model's parameters, and what tensor operations and the fused operator give for one batch.
class Comparison {
 public:
  explicit Comparison(const DiffusionSpec& spec) : spec_(spec) {
    const std::int64_t k = spec.neighbours();
    const std::int64_t d = spec.dim;
    const std::int64_t h = spec.hidden_dim;
    std::uint64_t seed = 10;
    const double scale = 1.0 / std::sqrt(static_cast<double>(d));
    for (std::int64_t set = 0; set < spec.set_count(); ++set) {
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

  /// Makes the channels of every token lie about 1 above and below `mean` in turn.
  void move_rows(double mean) {
    float* const values = table_.mutable_data_ptr<float>();
    for (std::int64_t i = 0; i < table_.numel(); ++i) {
      const double side = i % spec_.dim % 2 == 0 ? 1.0 : -1.0;
      values[i] = static_cast<float>(mean + side + 0.1 * static_cast<double>(values[i]));
    }
  }

  /// `diffusion`: the steps in tensor operations, which are done in numbers of `type`.
  Results reference(
      const std::function<decltype(reference_diffusion)>& diffusion = reference_diffusion,
      at::ScalarType type = at::kFloat) {
    std::vector<StepTensors> steps = steps_;
    std::vector<std::pair<std::string, at::Tensor>> leaves;
    for (StepTensors& step : steps) {
      for (auto& [name, tensor] : members(step)) {
        if (!tensor->defined()) continue;
        *tensor = tensor->to(type, false, true).set_requires_grad(true);
        leaves.emplace_back(name, *tensor);
      }
    }
    const at::Tensor initial = at::index(table_, {ids_.to(at::kLong)})
                                   .detach()
                                   .to(type, false, true)
                                   .set_requires_grad(true);
    const at::Tensor state = diffusion(spec_, steps, initial, kTextOffsets);
    const at::Tensor output =
        spec_.pooling
            ? segment_pool(state, Segments(kTextOffsets, at::TensorOptions(type)), *spec_.pooling)
            : state;
    output.backward(output_gradient_.to(type));
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
    fused.forward_backward(input, middle, {results.row_gradient.mutable_data_ptr<float>()},
                           gradients, fused.slot_count(kTextOffsets));
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
inline double relative_error(const at::Tensor& value, const at::Tensor& reference) {
  return at::sub(value, reference).abs().max().item<double>() /
         std::max(reference.abs().max().item<double>(), 1e-3);
}

}  // namespace diffuse::testing
