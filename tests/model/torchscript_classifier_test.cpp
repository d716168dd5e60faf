// Classifiers in `.pt` files: of Python (scripts/make_distilbert_fixture.py), our own, and bad
// ones.

#include "diffuse/model/torchscript_classifier.hpp"

#include <ATen/Context.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diffuse/base/error.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/model/distilbert.hpp"
#include "support/temp_dir.hpp"
#include "torchscript_module.hpp"
#include "torchscript_support.hpp"

namespace diffuse {
namespace {

using testing::DistilBertReference;
using testing::evaluate;
using ::testing::HasSubstr;
using testing::message_of;
using testing::module_of;
using testing::scripted;
using testing::small_shape;
using testing::training_context;

TEST(TorchScriptClassifier, ATokenBeyondTheVocabularyIsToldInOneLine) {
  const auto model = scripted();
  EXPECT_EQ(message_of<Error>([&] {
              evaluate(*model, {{1, 40}});
            }),
            "The TorchScript module failed: index out of range in self.");
}

TEST(TorchScriptClassifier, ALackOfMemoryKeepsItsType) {
  TorchScriptClassifier model(
      module_of("def forward(self, a, b):\n    return torch.ones([1000000, 1000000, 1000])\n"),
      {.class_count = 3});
  try {
    evaluate(model, {{1, 2}});
    ADD_FAILURE() << "nothing was thrown";
  } catch (const c10::Error& error) {
    EXPECT_TRUE(is_out_of_memory(error));
    EXPECT_THAT(memory_request(error), HasSubstr("allocate"));
  }
}

TEST(TorchScriptClassifier, AWeightRegisteredTwiceIsOneParameter) {
  torch::jit::Module module =
      module_of("def forward(self, a, b):\n    return torch.embedding(self.weight, a[:, 0])\n");
  module.register_parameter("tied", module.attr("weight").toTensor(), /*is_buffer=*/false);
  const TorchScriptClassifier model(module, {.class_count = 3});
  ASSERT_EQ(model.parameters().size(), 1u);
  EXPECT_EQ(model.parameters()[0].name, "weight");
}

TEST(TorchScriptClassifier, ShorterTextsAreFilledWithThePaddingTokenUnderAMaskOfZeros) {
  // Sums of the ids and of the mask, as logits.
  TorchScriptClassifier model(module_of("def forward(self, a, b):\n"
                                        "    sums = [a.sum(1), b.sum(1), (a * b).sum(1)]\n"
                                        "    return torch.stack(sums, 1) * self.weight[0, 0]\n"),
                              {.class_count = 3, .pad_id = 9});
  const at::Tensor logits = evaluate(model, {{1, 2}, {3, 4, 5, 6}, {7}});
  const float expected[3][3] = {{21, 2, 3}, {18, 4, 18}, {34, 1, 7}};
  for (int b = 0; b < 3; ++b) {
    for (int c = 0; c < 3; ++c) EXPECT_EQ(logits[b][c].item<float>(), expected[b][c]);
  }
}

TEST(TorchScriptClassifier, ASeedDecidesTheNumbersOfDropout) {
  const Batch batch = DistilBertReference().batch();
  for (const bool transformer : {true, false}) {
    const std::unique_ptr<TorchScriptClassifier> model =
        transformer ? make_distilbert(small_shape(), 1) : scripted();
    // Whatever number of passes came before.
    const at::Tensor first = model->forward(batch, training_context(1)).detach();
    for (int again = 0; again < 4; ++again) {
      EXPECT_TRUE(model->forward(batch, training_context(1)).equal(first)) << again;
    }
    EXPECT_FALSE(model->forward(batch, training_context(2)).equal(first));
  }
}

TEST(TorchScriptClassifier, TheContextsGeneratorGoesOnAndTheDefaultOneStays) {
  const Batch batch = DistilBertReference().batch();
  const auto model = make_distilbert(small_shape(), 1);
  at::Generator standard = at::globalContext().defaultGenerator(at::kCPU);
  const at::Tensor standard_state = standard.get_state();
  const ForwardContext context = training_context(1);
  const at::Tensor first = model->forward(batch, context).detach();
  const at::Tensor kept = context.generator.get_state();
  const at::Tensor second = model->forward(batch, context).detach();
  EXPECT_FALSE(second.equal(first));
  EXPECT_TRUE(standard.get_state().equal(standard_state));

  const ForwardContext resumed = training_context(77);
  at::Generator(resumed.generator).set_state(kept);
  EXPECT_TRUE(model->forward(batch, resumed).equal(second));
}

TEST(TorchScriptClassifier, MovingKeepsParametersTheModules) {
  const auto model = scripted();
  const auto parameters = model->parameters();
  model->to(at::kCPU);
  EXPECT_EQ(model->device(), at::Device(at::kCPU));
  const at::Tensor before = evaluate(*model, {{1, 2, 3}});
  {
    const at::NoGradGuard no_grad;
    for (const NamedParameter& p : parameters) at::Tensor(p.tensor).zero_();
  }
  EXPECT_GT(before.abs().max().item<double>(), 0.0);
  EXPECT_EQ(evaluate(*model, {{1, 2, 3}}).abs().max().item<double>(), 0.0);
}

TEST(TorchScriptClassifier, MovesToTheGpuAndBack) {
  at::Device device = at::kCPU;
  try {
    device = resolve_device("cuda");
  } catch (const Error& error) {
    GTEST_SKIP() << error.what();
  }
  const DistilBertReference reference;
  const Batch batch = testing::batch_on(reference.batch(), device);
  const auto model = make_distilbert(small_shape(), 1);
  testing::load_distilbert(*model);
  const auto parameters = model->parameters();
  model->to(device);
  EXPECT_EQ(model->device(), device);
  for (const NamedParameter& p : parameters) EXPECT_EQ(p.tensor.device(), device) << p.name;
  EXPECT_LT(testing::largest_difference(model->forward(batch, {}).to(at::kCPU),
                                        reference.tensor("output.logits")),
            1e-4);
  const auto train = [&](std::uint64_t seed) {
    return model->forward(batch, {true, make_generator(device, seed)}).detach();
  };
  EXPECT_TRUE(train(1).equal(train(1)));
  EXPECT_FALSE(train(1).equal(train(2)));
  const testing::TempDir dir;
  model->save(dir.path() / "model.pt");
  const auto loaded = load_torchscript(dir.path() / "model.pt", 3, 0);
  EXPECT_EQ(loaded->device(), at::Device(at::kCPU));
  EXPECT_LT(testing::largest_difference(loaded->forward(reference.batch(), {}),
                                        reference.tensor("output.logits")),
            1e-5);
}

TEST(TorchScriptClassifier, WhatTheModuleRaisesIsTold) {
  TorchScriptClassifier model(module_of("def forward(self, a, b):\n"
                                        "    assert a.size(1) < 2, \"too long\\nfor this\"\n"
                                        "    return torch.embedding(self.weight, a[:, 0])\n"),
                              {.class_count = 3});
  EXPECT_EQ(evaluate(model, {{1}}).size(1), 3);
  EXPECT_EQ(message_of<Error>([&] {
              evaluate(model, {{1, 2}});
            }),
            "The TorchScript module failed: AssertionError: too long.");
}

TEST(TorchScriptClassifier, RefusesHalfPrecisionParameters) {
  torch::jit::Module module = module_of("def forward(self, a, b):\n    return a\n");
  module.to(at::kHalf);
  EXPECT_EQ(message_of<Error>([&] { TorchScriptClassifier(module, {.class_count = 3}); }),
            "The TorchScript module's parameter weight is Half; expected float32. Export "
            "model.float(); half precision is chosen where the model runs.");
}

TEST(TorchScriptClassifier, RefusesImpossibleShapes) {
  const torch::jit::Module module = module_of("def forward(self, a, b):\n    return a\n");
  EXPECT_THAT(message_of<Error>([&] { TorchScriptClassifier(module, {.class_count = 0}); }),
              HasSubstr("of 0 classes"));
  EXPECT_THROW(TorchScriptClassifier(module, {.class_count = 1, .pad_id = -1}), Error);
}

}  // namespace
}  // namespace diffuse
