#include "diffuse/model/initial_vectors.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "diffuse/base/error.hpp"
#include "support.hpp"

namespace diffuse {
namespace {

using testing::kShape;
using testing::small_config;

/// Vectors of tokens 1 and 3, whose elements have the root mean square 2.
WordVectors two_vectors(std::int64_t dim) {
  WordVectors vectors{.dim = dim};
  vectors.values.assign(static_cast<std::size_t>(kShape.vocab_size * dim), 0);
  vectors.known.assign(static_cast<std::size_t>(kShape.vocab_size), false);
  for (const std::size_t token : {1U, 3U}) {
    vectors.known[token] = true;
    for (std::size_t c = 0; c < static_cast<std::size_t>(dim); ++c)
      vectors.values[token * static_cast<std::size_t>(dim) + c] = c % 2 == 0 ? 2.F : -2.F;
  }
  vectors.known_count = 2;
  vectors.root_mean_square = 2;
  return vectors;
}

at::Tensor started(const ModelConfig& config) {
  DiffusionClassifier model(config, kShape, 3);
  start_from_vectors(model, two_vectors(config.dim), config);
  return testing::parameter(model, "embedding.weight").detach();
}

TEST(InitialVectors, AllAreScaledToOneDeviation) {
  ModelConfig config = small_config();
  config.embedding_init_std = 0.5;
  config.embedding_file_std = 0.25;
  DiffusionClassifier fresh(config, kShape, 3);
  const at::Tensor random = testing::parameter(fresh, "embedding.weight").detach();
  const at::Tensor table = started(config);
  for (std::int64_t c = 0; c < config.dim; ++c) {
    EXPECT_FLOAT_EQ(table[1][c].item<float>(), c % 2 == 0 ? 0.25F : -0.25F);
    EXPECT_FLOAT_EQ(table[3][c].item<float>(), c % 2 == 0 ? 0.25F : -0.25F);
    EXPECT_FLOAT_EQ(table[0][c].item<float>(), 0.5F * random[0][c].item<float>());
    EXPECT_FLOAT_EQ(table[19][c].item<float>(), 0.5F * random[19][c].item<float>());
  }
}

TEST(InitialVectors, WithZeroStayAsTheyAre) {
  ModelConfig config = small_config();
  config.embedding_init_std = 0.5;
  config.embedding_file_std = 0;
  DiffusionClassifier fresh(config, kShape, 3);
  const at::Tensor random = testing::parameter(fresh, "embedding.weight").detach();
  const at::Tensor table = started(config);
  EXPECT_FLOAT_EQ(table[3][1].item<float>(), -2.F);
  EXPECT_FLOAT_EQ(table[0][1].item<float>(), 4 * random[0][1].item<float>());
}

TEST(InitialVectors, OfAnotherVocabularyAreRefused) {
  const ModelConfig config = small_config();
  DiffusionClassifier model(config, kShape, 3);
  EXPECT_THROW(start_from_vectors(model, two_vectors(config.dim + 1), config), Error);
}

TEST(LogOdds, AreTheFirstBiasesOfTheLastLayer) {
  DiffusionClassifier model(small_config(), kShape, 3);
  start_from_log_odds(model, std::vector<float>{-3, 0, 1.5F});
  const at::Tensor bias = testing::parameter(model, "head.out.bias");
  EXPECT_EQ(bias[0].item<float>(), -3);
  EXPECT_EQ(bias[1].item<float>(), 0);
  EXPECT_EQ(bias[2].item<float>(), 1.5F);
  EXPECT_THROW(start_from_log_odds(model, std::vector<float>{1}), Error);
}

}  // namespace
}  // namespace diffuse
