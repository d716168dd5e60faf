#include "diffuse/eval/reach.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "diffuse/base/error.hpp"
#include "diffuse/base/random.hpp"
#include "diffuse/model/diffusion_classifier.hpp"
#include "diffuse/model/model_factory.hpp"
#include "support/fake_classifier.hpp"

namespace diffuse {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kTokens = 20;

/// Texts of 10 to 40 tokens.
EncodedDataset random_texts() {
  EncodedDataset data;
  Random random(5);
  for (std::uint32_t row = 1; row <= 31; ++row) {
    std::vector<std::int32_t> tokens(9 + row);
    for (std::int32_t& token : tokens) token = static_cast<std::int32_t>(random.below(kTokens));
    data.append(tokens, 0, row);
  }
  return data;
}

/// Its first logit grows with the pairs of a token and the one `distance` behind it.
class PairClassifier final : public testing::FakeClassifier {
 public:
  explicit PairClassifier(std::int64_t distance)
      : testing::FakeClassifier(kTokens, 2), distance_(distance) {}

  at::Tensor forward(const Batch& batch, const ForwardContext& context) override {
    at::Tensor logits = testing::FakeClassifier::forward(batch, context).detach().clone();
    const auto* tokens = batch.tokens.const_data_ptr<std::int32_t>();
    for (std::int64_t b = 0; b < batch.size(); ++b) {
      const auto text = static_cast<std::size_t>(b);
      float sum = 0;
      for (std::int64_t i = batch.host_offsets[text]; i + distance_ < batch.host_offsets[text + 1];
           ++i)
        sum += static_cast<float>(tokens[i] * tokens[i + distance_]);
      logits[b][0] += sum;
    }
    return logits;
  }

 private:
  std::int64_t distance_;
};

TEST(Reach, DoublesTheDistanceToTheLongestText) {
  const EncodedDataset data = random_texts();
  testing::FakeClassifier classifier(kTokens, 2);
  const std::vector<ReachFigure> figures = measure_reach(classifier, view_all(data), {.pairs = 7});
  std::vector<std::int64_t> distances;
  for (const ReachFigure& figure : figures) {
    distances.push_back(figure.distance);
    EXPECT_EQ(figure.pairs, 7);
    EXPECT_EQ(figure.change, 0);  // its weights are
    EXPECT_EQ(figure.share(), 0);
  }
  EXPECT_EQ(distances, (std::vector<std::int64_t>{1, 2, 4, 8, 16, 32}));
}

TEST(Reach, OfABagOfWordsIsNone) {
  const EncodedDataset data = random_texts();
  testing::FakeClassifier classifier(kTokens, 2);
  {
    const at::NoGradGuard no_gradient;
    classifier.parameters()[0].tensor.select(1, 0).copy_(at::arange(kTokens));
  }
  for (const ReachFigure& figure : measure_reach(classifier, view_all(data), {})) {
    EXPECT_GT(figure.change, 0.05);
    EXPECT_LT(figure.share(), 1e-5) << figure.distance;
  }
}

TEST(Reach, IsFoundAtItsDistanceAlone) {
  const EncodedDataset data = random_texts();
  PairClassifier classifier(8);
  const std::vector<ReachFigure> figures = measure_reach(classifier, view_all(data), {});
  for (const ReachFigure& figure : figures) {
    EXPECT_GT(figure.change, 1);
    if (figure.distance == 8) {
      // (a' - a) (b' - b) for a = a', b = b' of 20 equally likely tokens has a mean size of 45,
      // half of it for each of two classes around their mean.
      EXPECT_NEAR(figure.together, 45.0 / 2, 8);
      EXPECT_GT(figure.together_error, 0.5);
    } else {
      EXPECT_EQ(figure.together, 0) << figure.distance;
      EXPECT_EQ(figure.together_error, 0);
    }
  }
}

TEST(Reach, OfSeveralLabelsCountsEachLogit) {
  const EncodedDataset data = random_texts();
  PairClassifier classifier(8);
  const auto together = [&](bool several) {
    return measure_reach(classifier, view_all(data), {.several_labels = several})[3].together;
  };
  EXPECT_NEAR(together(true), 2 * together(false), 1e-9);
}

TEST(Reach, OfAnOperatorEndsWhereItsStepsSay) {
  const EncodedDataset data = random_texts();
  Config config;
  config.model.dim = 8;
  config.model.steps = 3;
  config.model.radius = 1;
  config.model.dilation = {1, 2, 4};
  config.model.pooling = Pooling::mean;
  config.model.head_hidden_dim = 0;
  config.model.embedding_init_std = 1;
  for (const bool causal : {false, true}) {
    config.model.causal = causal;
    const std::int64_t farthest = causal ? 3 : 6;
    EXPECT_EQ(farthest_pair(config, view_all(data)), farthest);
    DiffusionClassifier classifier(config.model, {.vocab_size = kTokens, .class_count = 2}, 3);
    for (const ReachFigure& figure : measure_reach(classifier, view_all(data), {})) {
      if (figure.distance <= farthest)
        EXPECT_GT(figure.share(), 1e-3) << figure.distance;
      else
        EXPECT_LT(figure.share(), 1e-4) << figure.distance;
    }
  }
}

/// Steps that bring tokens together which are 40 apart.
Config far_config() {
  Config config;
  config.model.steps = 5;
  config.model.radius = 2;
  config.model.dilation = {1, 4};
  return config;
}

/// A text of each length.
EncodedDataset texts_of(const std::vector<std::size_t>& lengths) {
  EncodedDataset data;
  std::uint32_t row = 0;
  for (const std::size_t length : lengths)
    data.append(std::vector<std::int32_t>(length, 3), 0, ++row);
  return data;
}

TEST(Reach, ByTheStepsIsTheOperatorsAlone) {
  const EncodedDataset data = texts_of({100});
  Config config = far_config();
  const auto farthest = [&] { return farthest_pair(config, view_all(data)); };
  EXPECT_EQ(farthest(), 2 * 2 * (1 + 4 + 1 + 4));
  config.model.causal = true;
  EXPECT_EQ(farthest(), 2 * (1 + 4 + 1 + 4));
  config.model.norm = NormPosition::post;
  EXPECT_EQ(farthest(), 2 * (1 + 4 + 1 + 4 + 1));
  config.model.type = ModelType::mamba;
  EXPECT_EQ(farthest(), std::nullopt);
}

TEST(Reach, ByTheStepsEndsWithTheLongestTextOrPiece) {
  const EncodedDataset data = texts_of({7, 30, 9});
  Config config = far_config();
  const auto farthest = [&] { return farthest_pair(config, view_all(data)); };
  EXPECT_EQ(farthest(), 29);
  config.tokenizer.max_tokens = 12;
  EXPECT_EQ(farthest(), 29) << "texts that are cut have been cut";
  config.tokenizer.long_texts = LongTexts::pool;
  EXPECT_EQ(farthest(), 9) << "30 = 10 + 10 + 10";
  config.tokenizer.special_tokens = true;
  EXPECT_EQ(farthest(), 10) << "28 = 9 + 9 + 10 between [CLS] and [SEP]";
  config.tokenizer.max_tokens = 64;
  EXPECT_EQ(farthest(), 29);
}

TEST(Reach, OfATextInPiecesEndsWithThem) {
  const EncodedDataset data = random_texts();
  Config config = far_config();
  config.model.dim = 8;
  config.model.pooling = Pooling::mean;
  config.model.head_hidden_dim = 0;
  config.model.embedding_init_std = 1;
  config.tokenizer.max_tokens = 8;
  config.tokenizer.long_texts = LongTexts::pool;
  EXPECT_EQ(farthest_pair(config, view_all(data)), 7);
  const auto classifier = make_classifier(config, {.vocab_size = kTokens, .class_count = 2}, 3);
  for (const ReachFigure& figure : measure_reach(*classifier, view_all(data), {})) {
    if (figure.distance <= 4)
      EXPECT_GT(figure.share(), 1e-3) << figure.distance;
    else
      EXPECT_LT(figure.share(), 1e-4) << figure.distance;
  }
}

TEST(Reach, TheSeedDrawsTheEdits) {
  const EncodedDataset data = random_texts();
  PairClassifier classifier(1);
  const auto together = [&](std::uint64_t seed) {
    return measure_reach(classifier, view_all(data), {.pairs = 5, .seed = seed})[0].together;
  };
  EXPECT_EQ(together(1), together(1));
  EXPECT_NE(together(1), together(2));
}

std::string message_of(Classifier& classifier, const EncodedDataset& data) {
  try {
    measure_reach(classifier, view_all(data), {});
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Reach, RefusesWhatHasNone) {
  testing::FakeClassifier classifier(kTokens, 2);
  EncodedDataset single;
  single.append(std::vector<std::int32_t>{3}, 0, 1);
  EXPECT_THAT(message_of(classifier, single),
              HasSubstr("Two edits need a text of two tokens or more; expected"));
  EXPECT_THAT(message_of(classifier, {}), HasSubstr("Two edits need a text of two tokens"));
  EncodedDataset same;
  same.append(std::vector<std::int32_t>{3, 3, 3}, 0, 1);
  EXPECT_THAT(message_of(classifier, same), HasSubstr("Edits need texts with different tokens"));
  classifier.random = true;
  EXPECT_THAT(message_of(classifier, same), HasSubstr("adds noise when it evaluates"));
}

const std::vector<ReachFigure> kFigures = {
    {.distance = 1, .pairs = 200, .change = 0.5, .together = 0.25, .together_error = 0.0125},
    {.distance = 2, .pairs = 200, .change = 0, .together = 0, .together_error = 0}};

TEST(ReachReport, HasALineForEachDistance) {
  EXPECT_EQ(reach_report(kFigures, 1022),
            "What replacing a token changes in the logits, and two at a distance together beyond "
            "what each changes:\n\n"
            "distance  pairs  one edit  both, beyond the sum   share\n"
            "       1    200    0.5000       0.2500 ± 0.0125  50.0 %\n"
            "       2    200    0.0000       0.0000 ± 0.0000   0.0 %\n"
            "\nBy its steps and what it reads at once no state is made of two tokens that are more "
            "than 1,022 apart, but by pooling and head.\n");
  EXPECT_THAT(reach_report(kFigures, std::nullopt), ::testing::Not(HasSubstr("By its steps")));
}

TEST(ReachReport, AsJson) {
  const auto json = nlohmann::json::parse(reach_json(kFigures, 1022));
  EXPECT_EQ(json["farthest_pair_tokens"], 1022);
  ASSERT_EQ(json["distances"].size(), 2U);
  const auto& first = json["distances"][0];
  EXPECT_EQ(first["distance_tokens"], 1);
  EXPECT_EQ(first["pairs"], 200);
  EXPECT_EQ(first["change"], 0.5);
  EXPECT_EQ(first["together"], 0.25);
  EXPECT_EQ(first["together_standard_error"], 0.0125);
  EXPECT_EQ(first["share"], 0.5);
  EXPECT_TRUE(
      nlohmann::json::parse(reach_json(kFigures, std::nullopt))["farthest_pair_tokens"].is_null());
}

}  // namespace
}  // namespace diffuse
