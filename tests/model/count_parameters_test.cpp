#include <gtest/gtest.h>

#include <functional>

#include "diffuse/model/model_factory.hpp"
#include "support.hpp"

namespace diffuse {
namespace {

using testing::kShape;
using testing::small_config;

struct CountCase {
  const char* name;
  std::function<void(ModelConfig&)> change;
};

void PrintTo(const CountCase& c, std::ostream* out) { *out << c.name; }

Config as_config(const ModelConfig& model) {
  Config config;
  config.model = model;
  return config;
}

class CountParameters : public ::testing::TestWithParam<CountCase> {};

TEST_P(CountParameters, IsTheSumOverTheClassifierThatIsMade) {
  for (const WeightKind weight : {WeightKind::scalar, WeightKind::channel, WeightKind::full}) {
    for (const FunctionKind function :
         {FunctionKind::linear, FunctionKind::mlp, FunctionKind::glu}) {
      ModelConfig config = small_config();
      config.weight = weight;
      config.function = function;
      GetParam().change(config);
      EXPECT_EQ(count_parameters(as_config(config), kShape),
                parameter_count(*make_classifier(as_config(config), kShape, 1)))
          << static_cast<int>(weight) << ' ' << static_cast<int>(function);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Configs, CountParameters,
    ::testing::Values(
        CountCase{"default", [](ModelConfig&) {}},
        CountCase{"steps0", [](ModelConfig& c) { c.steps = 0; }},
        CountCase{"steps0_shared", [](ModelConfig& c) { c.steps = 0, c.share_weights = true; }},
        CountCase{"steps3",
                  [](ModelConfig& c) {
                    c.steps = 3, c.dilation = {1, 2, 4};
                  }},
        CountCase{"shared", [](ModelConfig& c) { c.steps = 3, c.share_weights = true; }},
        CountCase{"shared_by_dilation",
                  [](ModelConfig& c) {
                    c.steps = 5, c.dilation = {1, 2}, c.share_weights = true;
                  }},
        CountCase{"radius0", [](ModelConfig& c) { c.radius = 0; }},
        CountCase{"radius3_no_self",
                  [](ModelConfig& c) { c.radius = 3, c.self_neighbour = false; }},
        CountCase{"weight_constant", [](ModelConfig& c) { c.weight_learned = false; }},
        CountCase{"alpha_learned", [](ModelConfig& c) { c.alpha_learned = true; }},
        CountCase{"no_norm", [](ModelConfig& c) { c.norm = NormPosition::none; }},
        CountCase{"post_norm", [](ModelConfig& c) { c.norm = NormPosition::post; }},
        CountCase{"hidden", [](ModelConfig& c) { c.hidden_dim = 5; }},
        CountCase{"mean", [](ModelConfig& c) { c.pooling = Pooling::mean; }},
        CountCase{"max", [](ModelConfig& c) { c.pooling = Pooling::max; }},
        CountCase{"linear_head", [](ModelConfig& c) { c.head_hidden_dim = 0; }},
        CountCase{"bigrams", [](ModelConfig& c) { c.bigram_buckets = 77; }},
        CountCase{"wide_head", [](ModelConfig& c) { c.head_hidden_dim = 11; }}),
    [](const auto& test_case) { return std::string(test_case.param.name); });

TEST(CountConstants, AreTheWeightsThatAreNotLearned) {
  ModelConfig config = small_config();  // dim 6, radius 1, 2 steps
  config.weight = WeightKind::full;
  EXPECT_EQ(count_constants(as_config(config)), 0);
  config.weight_learned = false;
  EXPECT_EQ(count_constants(as_config(config)), 2 * 3 * 6 * 6);
  config.share_weights = true;
  EXPECT_EQ(count_constants(as_config(config)), 3 * 6 * 6);
  config.weight = WeightKind::channel;
  config.self_neighbour = false;
  EXPECT_EQ(count_constants(as_config(config)), 2 * 6);
  config.weight = WeightKind::scalar;
  EXPECT_EQ(count_constants(as_config(config)), 2);
  config.steps = 0;
  EXPECT_EQ(count_constants(as_config(config)), 0);
}

TEST(CountParametersOfAHugeModel, TakesNoMemory) {
  ModelConfig config;
  config.dim = 8192;
  config.steps = 64;
  config.radius = 64;
  config.weight = WeightKind::full;
  EXPECT_GT(count_parameters(as_config(config), {1'000'000, 10, 0}), 500'000'000'000);
}

}  // namespace
}  // namespace diffuse
