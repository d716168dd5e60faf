// The classifier under autocast: near float32, with float32 weights, gradients and logits.

#include <ATen/ops/cross_entropy_loss.h>
#include <gtest/gtest.h>

#include "diffuse/base/error.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/device/precision.hpp"
#include "support.hpp"

namespace diffuse {
namespace {

/// Every kind of part, two or three to a model.
ModelConfig config_of(const std::string& name) {
  ModelConfig config = testing::small_config();
  config.dim = 16;
  if (name == "full_mlp") {
    config.weight = WeightKind::full;
    config.function = FunctionKind::mlp;
    config.norm = NormPosition::post;
  } else if (name == "learned_alpha_glu") {
    config.alpha_learned = true;
    config.function = FunctionKind::glu;
    config.norm = NormPosition::pre;
    config.pooling = Pooling::mean_max;
    config.base = BaseState::initial;
  } else if (name == "scalar_linear") {
    config.weight = WeightKind::scalar;
    config.function = FunctionKind::linear;
    config.activation = Activation::identity;
    config.norm = NormPosition::none;
    config.pooling = Pooling::max;
    config.share_weights = true;
    config.steps = 4;
  } else if (name == "no_steps") {
    config.steps = 0;
  }
  return config;
}

struct Result {
  at::Tensor logits;
  std::vector<at::Tensor> gradients;
};

Result run(DiffusionClassifier& model, Precision precision) {
  const Batch batch = testing::batch_on(
      testing::batch_of({{1, 4, 4, 9}, {3}, {0, 19, 5, 7, 11, 13, 2, 2, 8}, {8, 2}, {6, 6, 6}}),
      model.device());
  Result result;
  {
    const PrecisionScope scope(precision, model.device());
    result.logits = model.forward(batch, {});
  }
  at::cross_entropy_loss(result.logits, batch.labels).backward();
  for (const NamedParameter& p : model.parameters()) {
    result.gradients.push_back(p.tensor.grad().clone());
    p.tensor.mutable_grad().reset();
  }
  return result;
}

double distance(const at::Tensor& a, const at::Tensor& b) {
  return a.sub(b).norm().item<double>() / (b.norm().item<double>() + 1e-12);
}

using AutocastCase = std::tuple<std::string, Precision, std::string>;

class Autocast : public ::testing::TestWithParam<AutocastCase> {};

TEST_P(Autocast, IsNearFloat32) {
  const auto& [name, precision, device_name] = GetParam();
  at::Device device = at::kCPU;
  try {
    device = resolve_device(device_name);
  } catch (const SystemError& error) {
    GTEST_SKIP() << error.what();
  }
  DiffusionClassifier model(config_of(name), testing::kShape, 7);
  model.to(device);
  const Result exact = run(model, Precision::fp32);
  const Result half = run(model, precision);
  // bfloat16 keeps 8 bits of a number, float16 11.
  const double tolerance = precision == Precision::bf16 ? 0.03 : 0.004;
  EXPECT_EQ(half.logits.scalar_type(), at::kFloat);
  EXPECT_LT(distance(half.logits, exact.logits), tolerance);
  EXPECT_FALSE(half.logits.equal(exact.logits)) << "nothing was computed in half precision";
  const std::vector<NamedParameter> parameters = model.parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    EXPECT_EQ(parameters[i].tensor.scalar_type(), at::kFloat) << parameters[i].name;
    EXPECT_EQ(half.gradients[i].scalar_type(), at::kFloat) << parameters[i].name;
    EXPECT_LT(distance(half.gradients[i], exact.gradients[i]), 3 * tolerance) << parameters[i].name;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Autocast,
                         ::testing::Combine(::testing::Values("defaults", "full_mlp",
                                                              "learned_alpha_glu", "scalar_linear",
                                                              "no_steps"),
                                            ::testing::Values(Precision::bf16, Precision::fp16),
                                            ::testing::Values("cpu", "cuda")),
                         [](const auto& chosen) {
                           return std::get<0>(chosen.param) +
                                  (std::get<1>(chosen.param) == Precision::bf16 ? "_bf16_"
                                                                                : "_fp16_") +
                                  std::get<2>(chosen.param);
                         });

}  // namespace
}  // namespace diffuse
