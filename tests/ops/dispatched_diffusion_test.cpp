#include "diffuse/ops/dispatched/diffusion.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/record_function.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "diffuse/device/precision.hpp"
#include "diffuse/ops/reference/diffusion_step.hpp"
#include "support/on_device.hpp"

namespace diffuse {
namespace {

constexpr std::int64_t kDim = 6;
const std::vector<std::int32_t> kOffsets = {0, 3, 4, 9, 10, 12, 31};

class DispatchedDiffusionOn : public testing::OnDevice {
 protected:
  at::Tensor random(at::IntArrayRef shape) {
    return at::randn(shape, at::detail::createCPUGenerator(++seed_), at::TensorOptions(at::kDouble))
        .to(device_)
        .set_requires_grad(true);
  }

  /// The parameters of `spec`'s steps.
  std::vector<StepTensors> steps_of(const DiffusionSpec& spec) {
    std::vector<StepTensors> steps;
    for (std::int64_t set = 0; set < spec.set_count(); ++set) {
      StepTensors step;
      std::vector<std::int64_t> shape = {spec.neighbours()};
      if (spec.weight != WeightKind::scalar) shape.push_back(kDim);
      if (spec.weight == WeightKind::full) shape.push_back(kDim);
      step.weight = random(shape);
      if (!spec.alpha) step.alpha_logit = random({kDim});
      if (spec.norm != NormPosition::none) {
        step.norm_weight = random({kDim});
        step.norm_bias = random({kDim});
      }
      step.in_weight = random({kDim, kDim});
      step.in_bias = random({kDim});
      steps.push_back(step);
    }
    return steps;
  }

 private:
  std::uint64_t seed_ = 0;
};

std::vector<at::Tensor> tensors_of(const std::vector<StepTensors>& steps) {
  std::vector<at::Tensor> all;
  for (const StepTensors& step : steps)
    for (const at::Tensor& one : {step.weight, step.alpha_logit, step.norm_weight, step.norm_bias,
                                  step.in_weight, step.in_bias})
      if (one.defined()) all.push_back(one);
  return all;
}

DiffusionSpec two_steps() {
  DiffusionSpec spec;
  spec.dim = kDim;
  spec.shifts = {neighbourhood_shifts(1, 1, true), neighbourhood_shifts(1, 2, true)};
  return spec;
}

TEST_P(DispatchedDiffusionOn, IsTheReferenceInEveryForm) {
  std::vector<DiffusionSpec> specs(9, two_steps());
  specs[1].weight = WeightKind::scalar;
  specs[2].alpha.reset();
  specs[2].norm = NormPosition::pre;
  specs[3].base = BaseState::initial;
  specs[3].norm = NormPosition::post;
  specs[4].parameter_sets = 1;
  specs[4].activation = Activation::tanh;
  specs[5].weight = WeightKind::scalar;
  specs[5].alpha.reset();
  specs[5].shifts = {{-40, 0, 7}};
  specs[6].weight = WeightKind::full;
  specs[7].weight = WeightKind::full;
  specs[7].alpha.reset();
  specs[8].shifts = {neighbourhood_shifts(20, 1, true)};  // more than one mix takes
  specs[8].alpha.reset();
  for (std::size_t s = 0; s < specs.size(); ++s) {
    const DiffusionSpec& spec = specs[s];
    const std::vector<StepTensors> steps = steps_of(spec);
    std::vector<at::Tensor> leaves = tensors_of(steps);
    const at::Tensor initial = random({kOffsets.back(), kDim});
    leaves.push_back(initial);
    const at::Tensor gradient = random({kOffsets.back(), kDim}).detach();
    const auto gradients_of = [&](const at::Tensor& result) {
      result.backward(gradient);
      std::vector<at::Tensor> found;
      for (const at::Tensor& leaf : leaves) {
        found.push_back(leaf.grad().clone());
        leaf.mutable_grad().reset();
      }
      return found;
    };
    const at::Tensor expected = reference_diffusion(spec, steps, initial, kOffsets);
    const at::Tensor found =
        dispatched_diffusion(spec, steps, initial,
                             TextRows(at::tensor(kOffsets, at::kInt).to(device_), kOffsets.back()));
    EXPECT_TRUE(at::allclose(found, expected, 1e-11, 1e-11)) << s;
    const auto wanted = gradients_of(expected);
    const auto own = gradients_of(found);
    for (std::size_t i = 0; i < own.size(); ++i)
      EXPECT_TRUE(at::allclose(own[i], wanted[i], 1e-10, 1e-10)) << s << ", tensor " << i;
  }
}

TEST_P(DispatchedDiffusionOn, InHalfPrecisionNothingIsCastButTheMatrices) {
  DiffusionSpec spec = two_steps();
  spec.norm = NormPosition::pre;
  std::vector<StepTensors> steps = steps_of(spec);
  const at::Tensor initial = random({kOffsets.back(), kDim}).detach();
  const at::Tensor expected = reference_diffusion(spec, steps, initial, kOffsets);
  for (StepTensors& step : steps)
    for (at::Tensor* one :
         {&step.weight, &step.norm_weight, &step.norm_bias, &step.in_weight, &step.in_bias})
      *one = one->detach().to(at::kFloat);
  const TextRows texts(at::tensor(kOffsets, at::kInt).to(device_), kOffsets.back());
  const at::Tensor state = initial.to(at::kFloat);
  static int casts = 0;
  casts = 0;
  const at::CallbackHandle handle = at::addGlobalCallback(at::RecordFunctionCallback(
      [](const at::RecordFunction& function) -> std::unique_ptr<at::ObserverContext> {
        if (std::string_view(function.name()) == "aten::_to_copy") ++casts;
        return nullptr;
      }));
  at::Tensor found;
  {
    const at::NoGradGuard no_gradient;
    const PrecisionScope scope(Precision::bf16, device_);
    found = dispatched_diffusion(spec, steps, state, texts);
  }
  at::removeCallback(handle);
  EXPECT_EQ(casts, 2);  // one matrix a step: norm and bias are read as they are
  EXPECT_EQ(found.scalar_type(), at::kFloat);
  EXPECT_LT(found.to(at::kDouble).sub(expected).abs().max().item<double>(),
            0.03 * expected.abs().max().item<double>());
}

INSTANTIATE_TEST_SUITE_P(, DispatchedDiffusionOn, testing::every_device(), testing::device_name);

}  // namespace
}  // namespace diffuse
