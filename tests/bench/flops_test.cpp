#include "diffuse/bench/flops.hpp"

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

TEST(ForwardFlops, OfAnyModuleAreUnknown) {
  Config config;
  config.model.type = ModelType::torchscript;
  EXPECT_FALSE(forward_flops(config, 4, kLengths).has_value());
}

}  // namespace
}  // namespace diffuse
