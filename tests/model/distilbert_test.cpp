// DistilBERT as TorchScript against transformers' own class (scripts/make_distilbert_fixture.py).

#include "diffuse/model/distilbert.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/serialization/import.h>

#include <set>

#include "diffuse/base/error.hpp"
#include "diffuse/device/precision.hpp"
#include "support/on_device.hpp"
#include "support/temp_dir.hpp"
#include "torchscript_support.hpp"

namespace diffuse {
namespace {

using testing::DistilBertReference;
using ::testing::ElementsAre;
using testing::evaluate;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::message_of;
using testing::small_shape;
using testing::training_context;

/// The fixture's model with its weights.
std::unique_ptr<TorchScriptClassifier> fixture_model() {
  auto model = make_distilbert(small_shape(), 1);
  testing::load_distilbert(*model);
  return model;
}

at::Tensor logits_in_training(Classifier& model, const Batch& batch, std::uint64_t seed) {
  return model.forward(batch, training_context(seed)).detach();
}

using DistilBertOn = testing::OnDevice;

TEST_P(DistilBertOn, LogitsLossAndEveryGradientAreTransformers) {
  const double tolerance = device_.is_cpu() ? 1e-5 : 1e-4;
  const DistilBertReference reference;
  const Batch batch = testing::batch_on(reference.batch(), device_);
  const auto model = fixture_model();
  model->to(device_);
  const at::Tensor logits = model->forward(batch, {});
  EXPECT_EQ(logits.scalar_type(), at::kFloat);
  EXPECT_LT(testing::largest_difference(logits.cpu(), reference.tensor("output.logits")),
            tolerance);
  const at::Tensor loss = at::cross_entropy_loss(logits, batch.labels);
  EXPECT_NEAR(loss.item<double>(), reference.tensor("output.loss").item<double>(), tolerance);
  loss.backward();
  ASSERT_EQ(model->parameters().size(), 40u);
  for (const NamedParameter& p : model->parameters()) {
    const at::Tensor expected = reference.tensor("gradient." + p.name);
    ASSERT_TRUE(p.tensor.grad().defined()) << p.name;
    const at::Tensor gradient = p.tensor.grad().cpu();
    EXPECT_TRUE(gradient.allclose(expected, tolerance, tolerance))
        << p.name << ": largest difference " << testing::largest_difference(gradient, expected);
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, DistilBertOn, testing::every_device(), testing::device_name);

TEST(DistilBert, AttendsByTheFusedOperation) {
  const testing::TempDir dir;
  fixture_model()->save(dir.path() / "model.pt");
  const std::string source =
      torch::jit::load((dir.path() / "model.pt").string()).dump_to_str(true, false, false);
  EXPECT_THAT(source, HasSubstr("scaled_dot_product_attention"));
}

TEST(DistilBert, ATextsLogitsDoNotDependOnTheOthers) {
  const DistilBertReference reference;
  const at::Tensor expected = reference.tensor("output.logits");
  const at::Tensor tokens = reference.tensor("input.tokens");
  const Batch batch = reference.batch();
  const std::span<const std::int32_t> offsets = batch.host_offsets;
  const auto model = fixture_model();
  for (std::size_t b = 0; b + 1 < offsets.size(); ++b) {
    const auto* data = tokens.const_data_ptr<std::int32_t>();
    const std::vector<std::int32_t> text(data + offsets[b], data + offsets[b + 1]);
    const auto row = static_cast<std::int64_t>(b);
    // Alone without padding, twice without padding, and beside a longer text with padding.
    EXPECT_LT(testing::largest_difference(evaluate(*model, {text})[0], expected[row]), 1e-5);
    EXPECT_LT(testing::largest_difference(evaluate(*model, {text, text})[1], expected[row]), 1e-5);
    const std::vector<std::int32_t> longest(24, 39);
    EXPECT_LT(testing::largest_difference(evaluate(*model, {text, longest})[0], expected[row]),
              1e-5);
  }
}

TEST(DistilBert, DropoutIsLiveInTrainingAndAbsentInEvaluation) {
  const auto model = fixture_model();
  const Batch batch = DistilBertReference().batch();
  const at::Tensor plain = model->forward(batch, {}).detach();
  EXPECT_TRUE(model->forward(batch, {}).equal(plain));
  const at::Tensor dropped = logits_in_training(*model, batch, 1);
  EXPECT_GT(testing::largest_difference(dropped, plain), 1e-3);
  EXPECT_TRUE(model->forward(batch, {}).equal(plain)) << "training mode stayed on";
}

TEST(DistilBert, EachDropoutIsLiveAlone) {
  for (double DistilBertShape::*dropout :
       {&DistilBertShape::dropout, &DistilBertShape::attention_dropout,
        &DistilBertShape::classifier_dropout}) {
    DistilBertShape shape = small_shape();
    shape.dropout = shape.attention_dropout = shape.classifier_dropout = 0.0;
    const Batch batch = DistilBertReference().batch();
    auto model = make_distilbert(shape, 1);
    testing::load_distilbert(*model);
    EXPECT_LT(testing::largest_difference(logits_in_training(*model, batch, 1),
                                          model->forward(batch, {})),
              1e-5);
    shape.*dropout = 0.5;
    model = make_distilbert(shape, 1);
    testing::load_distilbert(*model);
    EXPECT_GT(testing::largest_difference(logits_in_training(*model, batch, 1),
                                          model->forward(batch, {})),
              1e-3);
  }
}

TEST(DistilBert, InitialValuesAreTransformersAndDecidedByTheSeed) {
  DistilBertShape shape = small_shape();
  shape.vocab_size = 400;
  shape.pad_id = 3;
  shape.initializer_range = 0.1;
  const auto model = make_distilbert(shape, 11);
  const auto same = make_distilbert(shape, 11)->parameters();
  const auto other = make_distilbert(shape, 12)->parameters();
  const auto parameters = model->parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const NamedParameter& p = parameters[i];
    EXPECT_TRUE(p.tensor.requires_grad()) << p.name;
    EXPECT_TRUE(p.tensor.equal(same[i].tensor)) << p.name;
    if (p.name.ends_with(".bias")) {
      EXPECT_EQ(p.tensor.abs().max().item<double>(), 0.0) << p.name;
    } else if (p.role == ParameterRole::vector) {
      EXPECT_EQ(p.tensor.min().item<double>(), 1.0) << p.name;
      EXPECT_EQ(p.tensor.max().item<double>(), 1.0) << p.name;
    } else {
      EXPECT_FALSE(p.tensor.equal(other[i].tensor)) << p.name;
      EXPECT_NEAR(p.tensor.std().item<double>(), 0.1, p.tensor.numel() < 100 ? 0.04 : 0.02)
          << p.name;
    }
  }
  const at::Tensor words =
      testing::parameter(*model, "distilbert.embeddings.word_embeddings.weight").detach();
  EXPECT_EQ(words[3].abs().max().item<double>(), 0.0);
  EXPECT_GT(words[0].abs().max().item<double>(), 0.0);
}

TEST(DistilBert, RolesFollowTheTensors) {
  std::set<std::string> embeddings;
  for (const NamedParameter& p : make_distilbert(small_shape(), 1)->parameters()) {
    if (p.role == ParameterRole::embedding) embeddings.insert(p.name);
    EXPECT_EQ(p.role == ParameterRole::vector, p.tensor.dim() == 1) << p.name;
  }
  EXPECT_THAT(embeddings, ElementsAre("distilbert.embeddings.position_embeddings.weight",
                                      "distilbert.embeddings.word_embeddings.weight"));
}

TEST(DistilBert, CountsItsParameters) {
  DistilBertShape shape;
  shape.class_count = 4;
  FreshTensors sizes = FreshTensors::sizes_only();
  const auto model = make_distilbert(shape, sizes);
  std::int64_t body = 0;
  for (const NamedParameter& p : model->parameters())
    if (p.name.starts_with("distilbert.")) body += p.tensor.numel();
  EXPECT_EQ(body, 66'362'880);  // as published
}

TEST(DistilBert, PositionsCanBeExtendedAndAreChecked) {
  DistilBertShape shape = small_shape();
  shape.max_positions = 600;
  const auto model = make_distilbert(shape, 1);
  EXPECT_EQ(model->max_tokens(), 600);
  EXPECT_EQ(evaluate(*model, {std::vector<std::int32_t>(600, 5)}).size(1), 3);
  const std::string message = message_of<UserError>([&] {
    evaluate(*model, {{1, 2}, std::vector<std::int32_t>(601, 5)});
  });
  EXPECT_EQ(message,
            "A text has 601 tokens, the model takes 600 at most; set tokenizer.max_tokens to 600 "
            "or less.");
}

TEST(DistilBert, UpdatesLowerTheLoss) {
  const auto model = fixture_model();
  const std::vector<double> losses =
      testing::train_by_hand(*model, DistilBertReference().batch(), 0.05);
  EXPECT_LT(losses.back(), 0.7 * losses.front());
}

TEST(DistilBert, Bfloat16IsNearFloat32) {
  const Batch batch = DistilBertReference().batch();
  const auto run = [&](Precision precision) {
    const auto model = fixture_model();
    const PrecisionScope scope(precision, at::kCPU);
    const at::Tensor logits = model->forward(batch, {});
    EXPECT_EQ(logits.scalar_type(), at::kFloat);
    at::cross_entropy_loss(logits, batch.labels).backward();
    for (const NamedParameter& p : model->parameters()) {
      EXPECT_EQ(p.tensor.scalar_type(), at::kFloat);
      EXPECT_EQ(p.tensor.grad().scalar_type(), at::kFloat) << p.name;
    }
    return std::pair(logits.detach(), testing::parameter(*model, "pre_classifier.weight").grad());
  };
  const auto [logits, gradient] = run(Precision::fp32);
  const auto [half_logits, half_gradient] = run(Precision::bf16);
  const double difference = testing::largest_difference(half_logits, logits);
  EXPECT_GT(difference, 0.0) << "autocast does not reach into TorchScript";
  EXPECT_LT(difference, 0.1);
  EXPECT_LT(testing::largest_difference(half_gradient, gradient), 0.1);
}

TEST(DistilBert, HalfPrecisionWithoutGradientsIsTheSameToTheBitAndFollowsTheWeights) {
  const Batch batch = DistilBertReference().batch();
  const auto model = fixture_model();
  const auto logits = [&](Precision precision) {
    const PrecisionScope scope(precision, at::kCPU);
    return model->forward(batch, {}).detach();
  };
  const auto without_gradients = [&](Precision precision) {
    const at::NoGradGuard no_grad;
    return logits(precision);
  };
  for (const Precision precision : {Precision::bf16, Precision::fp16, Precision::bf16}) {
    const at::Tensor expected = logits(precision);
    EXPECT_TRUE(without_gradients(precision).equal(expected));
    EXPECT_TRUE(without_gradients(precision).equal(expected)) << "by the weights kept";
  }
  // After an update of a linear layer in place, and after another training pass.
  const at::Tensor before = without_gradients(Precision::bf16);
  {
    const at::NoGradGuard no_grad;
    testing::parameter(*model, "distilbert.transformer.layer.0.ffn.lin1.weight").mul_(2);
  }
  const at::Tensor after = without_gradients(Precision::bf16);
  EXPECT_FALSE(after.equal(before));
  EXPECT_TRUE(after.equal(logits(Precision::bf16)));
  logits_in_training(*model, batch, 1);
  EXPECT_TRUE(without_gradients(Precision::bf16).equal(after));
  // Embeddings are the module's own.
  {
    const at::NoGradGuard no_grad;
    testing::parameter(*model, "distilbert.embeddings.word_embeddings.weight").mul_(2);
  }
  EXPECT_TRUE(without_gradients(Precision::bf16).equal(logits(Precision::bf16)));
  EXPECT_FALSE(without_gradients(Precision::bf16).equal(after));
}

TEST(DistilBert, SaysWhatIsImpossible) {
  DistilBertShape shape = small_shape();
  shape.heads = 3;
  EXPECT_THAT(message_of<Error>([&] { make_distilbert(shape, 1); }),
              HasSubstr("width 16 in 3 heads, 2 layers of 32, 24 positions, 3 classes"));
  shape = small_shape();
  shape.class_count = 0;
  EXPECT_THROW(make_distilbert(shape, 1), Error);
  shape = small_shape();
  shape.pad_id = 40;
  EXPECT_THROW(make_distilbert(shape, 1), Error);
  shape = small_shape();
  shape.attention_dropout = 1.0;
  EXPECT_THAT(message_of<Error>([&] { make_distilbert(shape, 1); }),
              HasSubstr("dropout 0.1, 1 and 0.2"));
}

TEST(DistilBert, RefusesATrainingPassWithoutAGenerator) {
  const auto model = make_distilbert(small_shape(), 1);
  EXPECT_THAT(message_of<Error>([&] {
                model->forward(testing::batch_of({{1, 2}}), ForwardContext{true, {}});
              }),
              HasSubstr("needs a generator"));
}

}  // namespace
}  // namespace diffuse
