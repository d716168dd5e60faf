// Gradients against finite differences, in double.

#include <ATen/ops/cross_entropy_loss.h>
#include <gtest/gtest.h>

#include <cmath>

#include "support.hpp"

namespace diffuse {
namespace {

using testing::batch_of;
using testing::small_config;

/// Compares every element of every gradient with a central difference. `training` draws the same
/// noise and dropout masks each time.
void check_gradients(const ModelConfig& config, bool training) {
  DiffusionClassifier model(config, testing::kShape, 7);
  model.to_dtype(at::kDouble);
  const Batch batch = batch_of({{1, 4, 4, 9}, {3}, {0, 19, 5, 7, 11, 13}, {8, 2}});
  const auto loss = [&] {
    const ForwardContext context = training ? testing::training_context(5) : ForwardContext{};
    return at::cross_entropy_loss(model.forward(batch, context), batch.labels);
  };
  loss().backward();
  const at::NoGradGuard no_grad;
  constexpr double kStep = 1e-5;
  for (const NamedParameter& p : model.parameters()) {
    const at::Tensor gradient = p.tensor.grad().contiguous();
    double* values = p.tensor.data_ptr<double>();
    for (std::int64_t i = 0; i < p.tensor.numel(); ++i) {
      const double kept = values[i];
      values[i] = kept + kStep;
      const double above = loss().item<double>();
      values[i] = kept - kStep;
      const double below = loss().item<double>();
      values[i] = kept;
      const double expected = (above - below) / (2 * kStep);
      ASSERT_NEAR(gradient.data_ptr<double>()[i], expected, 1e-8 + 1e-6 * std::abs(expected))
          << p.name << " element " << i;
    }
  }
}

TEST(Gradients, OfTheDefaultsAgreeWithFiniteDifferences) { check_gradients(small_config(), false); }

TEST(Gradients, OfSharedStepsAgreeWithFiniteDifferences) {
  ModelConfig config = small_config();
  config.dim = 4;
  config.steps = 3;
  config.dilation = {1, 2, 3};
  config.share_weights = true;
  config.alpha_learned = true;
  config.norm = NormPosition::post;
  config.function = FunctionKind::glu;
  config.base = BaseState::initial;
  config.hidden_dim = 3;
  check_gradients(config, false);
}

TEST(Gradients, OfFullWeightsAgreeWithFiniteDifferences) {
  ModelConfig config = small_config();
  config.dim = 4;
  config.weight = WeightKind::full;
  config.function = FunctionKind::mlp;
  config.pooling = Pooling::max;
  check_gradients(config, false);
}

TEST(Gradients, WithNoiseAndDropoutAgreeWithFiniteDifferences) {
  ModelConfig config = small_config();
  config.dim = 4;
  config.noise_std = 0.3;
  config.token_dropout = config.embedding_dropout = config.head_dropout = 0.3;
  check_gradients(config, true);
}

}  // namespace
}  // namespace diffuse
