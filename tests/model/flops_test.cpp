#include "diffuse/model/model_description.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace diffuse {
namespace {

const std::vector<std::int64_t> kLengths = {3, 7};

TEST(ForwardFlops, OfALinearModelWithFactors) {
  Config config;
  config.model.dim = 8;
  config.model.steps = 2;
  config.model.radius = 1;
  config.model.pooling = Pooling::mean;
  config.model.head_hidden_dim = 0;
  // A token: f's matrix, and three neighbours' factors; a text: the head.
  EXPECT_EQ(forward_flops(config, 4, kLengths), 10 * 2 * (2 * 8 * 8 + 3 * 2 * 8) + 2 * 2 * 8 * 4);
  config.model.self_neighbour = false;
  config.model.weight = WeightKind::full;
  EXPECT_EQ(forward_flops(config, 4, kLengths),
            10 * 2 * (2 * 8 * 8 + 2 * 2 * 8 * 8) + 2 * 2 * 8 * 4);
}

TEST(ForwardFlops, OfMlpGluAndHead) {
  Config config;
  config.model.dim = 8;
  config.model.steps = 1;
  config.model.radius = 0;
  config.model.hidden_dim = 5;
  config.model.pooling = Pooling::mean_max;
  config.model.head_hidden_dim = -1;
  const double head = 2 * (2 * 16 * 8 + 2 * 8 * 3);
  config.model.function = FunctionKind::mlp;
  EXPECT_EQ(forward_flops(config, 3, kLengths), 10 * (2 * 2 * 8 * 5 + 2 * 8) + head);
  config.model.function = FunctionKind::glu;
  EXPECT_EQ(forward_flops(config, 3, kLengths), 10 * (3 * 2 * 8 * 5 + 2 * 8) + head);
}

TEST(ForwardFlops, OfDistilBertGrowWithTheSquareOfTheLength) {
  Config config;
  config.model.type = ModelType::distilbert;
  // 42.5 million parameters in the layers, two operations each, and the attention.
  const std::vector<std::int64_t> one = {512};
  const double expected = 512.0 * 6 * 2 * (4 * 768 * 768 + 2 * 768 * 3072) +
                          6 * 4.0 * 512 * 512 * 768 + 2 * 768 * (768 + 4);
  EXPECT_EQ(forward_flops(config, 4, one), expected);
}

/// Of Mamba-2's state space in `pieces` of two tokens, four heads of four channels, a state of five
/// for each; `handed` places of the matrices that hand states on.
double state_space_products(double pieces, double handed) {
  const auto product = [](double rows, double summed, double columns) {
    return 2 * rows * summed * columns;
  };
  const double weights = product(2, 5, 2);
  const double inside = product(2, 2, 4);
  const double added = product(4, 2, 5);
  const double read = product(2, 5, 4);
  return pieces * (weights + 4 * (inside + added + read)) + 2 * handed * 4 * 4 * 5;
}

TEST(ForwardFlops, OfOthersMixers) {
  Config config;
  config.model.dim = 8;
  config.model.steps = 3;
  config.model.pooling = Pooling::mean;
  config.model.head_hidden_dim = 0;
  const std::vector<std::int64_t> one = {10};
  const double head = 2 * 8 * 4;
  // q, k, v, the outcome, and a hidden layer of 32.
  const double token = 2.0 * (4 * 8 * 8 + 2 * 8 * 32);
  config.model.type = ModelType::transformer;
  EXPECT_EQ(forward_flops(config, 4, one), 3 * (10 * token + 4 * 10 * 10 * 8) + head);
  config.model.type = ModelType::linformer;
  config.mixer.projected = 5;
  EXPECT_EQ(forward_flops(config, 4, one), 3 * (10 * token + 8 * 10 * 5 * 8) + head);
  config.model.type = ModelType::performer;
  config.mixer.features = 6;
  EXPECT_EQ(forward_flops(config, 4, one), 3 * (10 * token + 8 * 10 * 6 * 8) + head);
  config.model.type = ModelType::mamba;
  config.mixer.both_directions = false;
  config.mixer.head_dim = 4;
  config.mixer.state_dim = 5;
  config.mixer.chunk = 2;
  // In, out, and the convolution.
  const double reader = 2.0 * 8 * (2 * 16 + 2 * 5 + 4) + 2.0 * 16 * 8 + 2.0 * 4 * (16 + 2 * 5);
  const double space = state_space_products(5, 6 * 5);
  EXPECT_EQ(forward_flops(config, 4, one), 3 * (10 * reader + space) + head);
  config.mixer.both_directions = true;
  EXPECT_EQ(forward_flops(config, 4, one), 3 * 2 * (10 * reader + space) + head);
  // 79 tokens are 40 pieces, whose states go through three groups of 16, and then those of three.
  const std::vector<std::int64_t> longer = {79};
  EXPECT_EQ(forward_flops(config, 4, longer),
            3 * 2 * (79 * reader + state_space_products(40, 3 * 17 * 16 + 4 * 3)) + head);
  config.mixer.chunk = 100;  // one piece, with no state before it
  EXPECT_EQ(forward_flops(config, 4, one), 3 * 2 * (10 * reader + 2 * 10 * 10 * (5 + 16)) + head);
}

TEST(ForwardFlops, OfAllButTheTransformerGrowAsALongTextDoes) {
  using enum ModelType;
  for (const ModelType type : {diffusion, linformer, performer, mamba, transformer}) {
    Config config;
    config.model.type = type;
    const auto of = [&config](std::int64_t length) {
      const std::vector<std::int64_t> lengths = {length};
      return forward_flops(config, 4, lengths).value();
    };
    EXPECT_NEAR(of(1 << 18) / of(1 << 16), type == transformer ? 16 : 4,
                type == transformer ? 0.3 : 0.01)
        << static_cast<int>(type);
  }
}

TEST(ProductWidth, IsThatOfATokensState) {
  Config config;
  for (const ModelType type : {ModelType::diffusion, ModelType::transformer, ModelType::mamba}) {
    config.model.type = type;
    EXPECT_EQ(product_width(config), config.model.dim);
  }
  config.model.type = ModelType::distilbert;
  EXPECT_EQ(product_width(config), 768);
  config.model.type = ModelType::torchscript;
  EXPECT_EQ(product_width(config), 0);
}

TEST(ForwardFlops, OfAnyModuleAreUnknown) {
  Config config;
  config.model.type = ModelType::torchscript;
  EXPECT_FALSE(forward_flops(config, 4, kLengths).has_value());
}

}  // namespace
}  // namespace diffuse
