#include "diffuse/explain/explainer.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/add.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/zeros_like.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "diffuse/base/error.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/model/model_factory.hpp"
#include "diffuse/ops/bigrams.hpp"
#include "model/support.hpp"
#include "support/message_of.hpp"
#include "support/temp_dir.hpp"

namespace diffuse {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using testing::message_of;
using testing::parameter;

constexpr std::int32_t kLabel = 1;

/// What `parts` say of kind `kind` at the text `words`; NaN: there is no such part.
double contribution(const Explanation& explanation, std::string_view text, PartKind kind,
                    std::string_view words) {
  for (const ExplainedPart& part : explanation.parts) {
    if (part.kind == kind && !part.places.empty() && part.places.front().of(text) == words)
      return part.contribution;
  }
  return std::nan("");
}

class Models : public ::testing::Test {
 protected:
  /// A network of random weights for three classes, of words.
  LoadedModel network(const std::function<void(Config&)>& change = {}) {
    LoadedModel model;
    model.config.model = testing::small_config();
    model.config.tokenizer.type = TokenizerType::words;
    if (change) change(model.config);
    model.tokenizer = load_tokenizer(
        model.config.tokenizer,
        dir_.write("vocab.txt", "[PAD]\n[UNK]\n[MASK]\noil\nprices\nrose\ncafé\nthe\nand\n!\n"));
    model.labels = Labels({"grain", "crude", "gold"});
    const ModelShape shape = {model.tokenizer->vocab_size(), 3, model.tokenizer->mask_id()};
    model.classifier = make_classifier(model.config, shape, 3);
    const at::NoGradGuard no_grad;
    if (const at::Tensor pairs = parameter(*model.classifier, "embedding.bigrams"); pairs.defined())
      pairs.normal_(0, 1);
    return model;
  }

  /// Adds n-grams of up to two words, of the phrases, in each phrase's place with its own weights.
  static void add_ngrams(LoadedModel& model, const std::vector<std::string>& phrases,
                         std::vector<float> scale, std::vector<float> weights,
                         std::vector<float> bias, BranchFactors factors, std::int64_t buckets = 0) {
    model.config.ngrams.max = 2;
    model.config.ngrams.weighting = NgramWeighting::tfidf;
    std::vector<std::uint64_t> hashes;
    for (const std::string& phrase : phrases) {
      const auto read = NgramReader(model.config.ngrams, true).read_placed(phrase);
      hashes.push_back(read.back().hash);  // of one word it is the word's, of two the pair's
    }
    model.ngrams.emplace(LoadedNgrams{
        .vocabulary = NgramVocabulary(model.config.ngrams, true, std::move(hashes), buckets),
        .trained = {.model = NgramModel(NgramWeighting::tfidf, std::move(scale),
                                        {3, std::move(weights), std::move(bias)}),
                    .factors = {}},
        .factors = factors});
  }

  static double forward(const LoadedModel& model, const std::string& text) {
    std::vector<std::int32_t> ids;
    model.tokenizer->encode(text, model.config.tokenizer.max_tokens, ids);
    const at::NoGradGuard no_grad;
    EmbeddingAccess access;
    access.noise = false;
    ForwardContext context;
    context.embeddings = &access;
    return model.classifier->forward(testing::batch_of({ids}), context)[0][kLabel].item<double>();
  }

  testing::TempDir dir_;
  OneThreadScope one_thread_;  // so little is to do that waking others takes longer
};

const std::string kText = "The OIL prices rose and rose, cafe\u0301 zorgle!";

TEST_F(Models, PartsOfEveryKindOfNetworkAddUpToItsLogit) {
  const std::vector<std::function<void(Config&)>> kinds = {
      [](Config&) {},
      [](Config& config) { config.model.norm = NormPosition::none; },
      [](Config& config) { config.model.norm = NormPosition::post; },
      [](Config& config) { config.model.base = BaseState::initial; },
      [](Config& config) { config.model.pooling = Pooling::max; },
      [](Config& config) { config.model.activation = Activation::relu; },
      [](Config& config) { config.model.token_dropout = 0.1; },
      [](Config& config) { config.model.bigram_buckets = 64; },
      [](Config& config) {
        config.model.noise_std = 1;
        config.model.noise_at_evaluation = true;
      },
      [](Config& config) {
        config.model.function = FunctionKind::glu;
        config.model.hidden_dim = 8;
        config.model.steps = 3;
      },
      [](Config& config) { config.model.embedding_init_std = 0.02; },
      [](Config& config) { config.tokenizer.type = TokenizerType::bytes; }};
  for (std::size_t k = 0; k < kinds.size(); ++k) {
    const LoadedModel model = network(kinds[k]);
    const Explanation found = Explainer(model).explain(kText, kLabel);
    EXPECT_EQ(found.label, kLabel);
    EXPECT_NEAR(found.logit, forward(model, kText), 1e-5) << "kind " << k;
    EXPECT_LE(std::abs(found.error()), Explainer::kTolerance) << "kind " << k;
    EXPECT_NE(found.baseline, found.logit) << "kind " << k;
    for (std::size_t i = 0; i + 1 < found.parts.size(); ++i)
      EXPECT_GE(std::abs(found.parts[i].contribution), std::abs(found.parts[i + 1].contribution));
  }
}

/// Without steps and with the mean of the words each word has its share of a linear function.
TEST_F(Models, OfALinearNetworkEachPartIsItsRowTimesTheWeights) {
  for (const double token_dropout : {0.0, 0.1}) {
    const LoadedModel model = network([&](Config& config) {
      config.model.steps = 0;
      config.model.pooling = Pooling::mean;
      config.model.head_hidden_dim = 0;
      config.model.bigram_buckets = 1 << 20;
      config.model.token_dropout = token_dropout;
    });
    const at::NoGradGuard no_grad;
    const at::Tensor weights = parameter(*model.classifier, "head.out.weight")[kLabel];
    const double bias = parameter(*model.classifier, "head.out.bias")[kLabel].item<double>();
    const at::Tensor table = parameter(*model.classifier, "embedding.weight");
    const at::Tensor pairs = parameter(*model.classifier, "embedding.bigrams");
    const auto value = [&](const at::Tensor& row) {
      return at::mul(row, weights).sum().item<double>();
    };
    const auto pair = [&](std::int64_t before, std::int64_t own) {
      return value(pairs[bigram_row(before, own, 1 << 20)]);
    };
    const double no_word = token_dropout > 0 ? value(table[2]) : 0;
    const std::string text = "Oil PRICES";  // 3, 4
    const Explanation found = Explainer(model).explain(text, kLabel);
    EXPECT_NEAR(found.baseline, bias + no_word, 1e-5);
    EXPECT_NEAR(contribution(found, text, PartKind::word, "Oil"),
                (value(table[3]) - no_word + pair(0, 3)) / 2, 1e-5)
        << "the pair with the text's beginning is the first word's";
    EXPECT_NEAR(contribution(found, text, PartKind::word, "PRICES"),
                (value(table[4]) - no_word) / 2, 1e-5);
    EXPECT_NEAR(contribution(found, text, PartKind::pair, "Oil PRICES"), pair(4, 4) / 2, 1e-5);
    EXPECT_EQ(found.parts.size(), 3U);
  }
}

/// The integrals once more, in float64 by differences of logits at 400 places, without gradients.
TEST_F(Models, IntegratedGradientsAreThoseOfDifferences) {
  const LoadedModel model = network();
  const std::string text = "oil prices rose";
  const Explanation found = Explainer(model).explain(text, kLabel);
  auto& network = dynamic_cast<DiffusionClassifier&>(*model.classifier);
  network.to_dtype(at::kDouble);
  const at::NoGradGuard no_grad;
  const at::Tensor state = parameter(network, "embedding.weight").narrow(0, 3, 3);
  const auto logit = [&](const at::Tensor& at) {
    EmbeddingAccess access;
    access.step = at::add(at, state, -1);
    ForwardContext context;
    context.embeddings = &access;
    return network.forward(testing::batch_of({{3, 4, 5}}), context)[0][kLabel].item<double>();
  };
  constexpr int kPlaces = 400;
  constexpr double kSmall = 1e-5;
  for (std::int64_t i = 0; i < 3; ++i) {
    at::Tensor own = at::zeros_like(state);
    own[i].copy_(state[i]);
    double sum = 0;
    for (int k = 0; k < kPlaces; ++k) {
      const at::Tensor at = at::mul(state, (k + 0.5) / kPlaces);
      sum += (logit(at::add(at, own, kSmall)) - logit(at::add(at, own, -kSmall))) / (2 * kSmall);
    }
    const std::vector<std::string> words = {"oil", "prices", "rose"};
    EXPECT_NEAR(contribution(found, text, PartKind::word, words[static_cast<std::size_t>(i)]),
                sum / kPlaces, 2e-3);
  }
}

TEST_F(Models, TellUnknownWordsAndWhereTheNetworkStopsReading) {
  const LoadedModel model = network([](Config& config) { config.tokenizer.max_tokens = 3; });
  const std::string text = "zorgle oil cafe\u0301! prices";
  const Explanation found = Explainer(model).explain(text, kLabel);
  EXPECT_EQ(found.parts.size(), 3U);
  for (const ExplainedPart& part : found.parts)
    EXPECT_EQ(part.unknown, part.places.front().begin == 0);
  EXPECT_EQ(text.substr(found.read_end), "! prices");
  EXPECT_EQ(Explainer(model).explain("oil", kLabel).read_end, std::string_view::npos);
}

TEST_F(Models, ATextWithoutATokenIsTheUnknownWord) {
  const LoadedModel model = network();
  const Explanation found = Explainer(model).explain("\u200D", kLabel);
  ASSERT_EQ(found.parts.size(), 1U);
  EXPECT_EQ(found.parts.front().kind, PartKind::added);
  EXPECT_LE(std::abs(found.error()), Explainer::kTolerance);
}

/// oil twice, prices once, "oil prices" once; café is not known.
TEST_F(Models, NgramsAreExact) {
  LoadedModel model = network([](Config& config) { config.model.dim = 0; });
  add_ngrams(model, {"oil", "prices", "oil prices"}, {1, 2, 3}, {0, 0.5, 0, 0, -1, 0, 0, 2, 0},
             {0, 0.25, 0}, {0, 4});
  const std::string text = "Oil prices: OIL, caf\u00E9";
  const Explanation found = Explainer(model).explain(text, kLabel);
  const double oil = 1 + std::log(2.0);
  const double length = std::sqrt(oil * oil + 4 + 9);
  EXPECT_NEAR(contribution(found, text, PartKind::ngram, "Oil"), 4 * oil / length * 0.5, 1e-6);
  EXPECT_NEAR(contribution(found, text, PartKind::ngram, "prices"), 4 * 2 / length * -1, 1e-6);
  EXPECT_NEAR(contribution(found, text, PartKind::ngram, "Oil prices"), 4 * 3 / length * 2, 1e-6);
  EXPECT_EQ(found.parts.size(), 3U);
  EXPECT_EQ(found.parts.back().places, (std::vector<TextSpan>{{0, 3}, {12, 15}}));
  EXPECT_DOUBLE_EQ(found.baseline, 1);
  EXPECT_NEAR(found.logit, 1 + 4 / length * (0.5 * oil - 2 + 6), 1e-6);
  EXPECT_NEAR(found.error(), 0, 1e-12);
}

TEST_F(Models, NgramsOfOneNumberShareWhatItCounts) {
  LoadedModel model = network([](Config& config) { config.model.dim = 0; });
  // Both words fall into the one bucket: three occurrences.
  add_ngrams(model, {}, {1}, {0, 3, 0}, {0, 0, 0}, {0, 1}, 1);
  model.config.ngrams.max = 1;
  const std::string text = "oil";
  EXPECT_NEAR(contribution(Explainer(model).explain(text, kLabel), text, PartKind::ngram, "oil"), 3,
              1e-6);
  const std::string three = "oil gas";  // oil, gas, "oil gas"
  const Explanation found = Explainer(model).explain(three, kLabel);
  ASSERT_EQ(found.parts.size(), 3U);
  for (const ExplainedPart& part : found.parts) EXPECT_NEAR(part.contribution, 1, 1e-6);
  EXPECT_NEAR(found.logit, 3, 1e-6);
}

TEST_F(Models, CharactersAreSummedUpByWord) {
  LoadedModel model = network([](Config& config) { config.model.dim = 0; });
  add_ngrams(model, {}, {1}, {0, 3, 0}, {0, 0, 0}, {0, 1}, 1);
  NgramConfig characters;
  characters.max = 0;
  characters.char_min = characters.char_max = 2;
  model.ngrams->vocabulary = NgramVocabulary(characters, true, {}, 1);
  const std::string text = "ab c ab";  // of " ab ", " c ", " ab ": 3, 2 and 3
  const Explanation found = Explainer(model).explain(text, kLabel);
  EXPECT_NEAR(contribution(found, text, PartKind::characters, "ab"), 3 * 6.0 / 8, 1e-6);
  EXPECT_NEAR(contribution(found, text, PartKind::characters, "c"), 3 * 2.0 / 8, 1e-6);
  EXPECT_EQ(found.parts.front().places, (std::vector<TextSpan>{{0, 2}, {5, 7}}));
}

TEST_F(Models, OfBothBranchesTheFactorsCount) {
  LoadedModel model = network();
  const Explanation alone = Explainer(model).explain(kText, kLabel);
  add_ngrams(model, {"oil"}, {1}, {0, 5, 0}, {0, 1, 0}, {0.5, 3});
  const Explanation both = Explainer(model).explain(kText, kLabel);
  EXPECT_NEAR(both.logit, 0.5 * alone.logit + 3 * (1 + 5), 1e-4);
  EXPECT_NEAR(both.baseline, 0.5 * alone.baseline + 3, 1e-4);
  EXPECT_NEAR(contribution(both, kText, PartKind::ngram, "OIL"), 15, 1e-4);
  EXPECT_NEAR(contribution(both, kText, PartKind::word, "OIL"),
              0.5 * contribution(alone, kText, PartKind::word, "OIL"), 1e-3);
  EXPECT_LE(std::abs(both.error()), Explainer::kTolerance);
}

TEST_F(Models, OfAnotherNetworkAreRefused) {
  LoadedModel model = network();
  model.config.model.type = ModelType::distilbert;
  EXPECT_FALSE(can_be_explained(model.config));
  EXPECT_EQ(message_of<Error>([&] { Explainer{model}; }),
            "Explainer: the network is no diffusion, or its input not a text's tokens alone.");
  model.config.model.type = ModelType::diffusion;
  model.config.tokenizer.type = TokenizerType::values;
  EXPECT_FALSE(can_be_explained(model.config));
}

TEST(ShareAmongWords, EveryPartIsSharedByTheWordsOfItsPlaces) {
  const std::string text = "oil prices, oil";
  Explanation explanation;
  explanation.parts = {{.places = {{0, 3}}, .contribution = 1},
                       {.places = {{0, 10}}, .contribution = 3},
                       {.places = {{0, 3}, {12, 15}}, .contribution = 8},
                       {.kind = PartKind::added, .contribution = 100}};
  const std::vector<WordShare> words = share_among_words(explanation, text);
  std::vector<std::string> names;
  std::vector<double> shares;
  for (const WordShare& word : words) {
    names.emplace_back(word.place.of(text));
    shares.push_back(word.contribution);
  }
  EXPECT_THAT(names, ElementsAre("oil", "prices", ",", "oil"));
  EXPECT_THAT(shares, ElementsAre(1 + 1.5 + 4, 1.5, 0, 4));
}

}  // namespace
}  // namespace diffuse
