// Classifiers in `.pt` files: of Python (scripts/make_distilbert_fixture.py), our own, and bad
// ones.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/model/distilbert.hpp"
#include "diffuse/model/torchscript_classifier.hpp"
#include "support/temp_dir.hpp"
#include "torchscript_module.hpp"
#include "torchscript_support.hpp"

namespace diffuse {
namespace {

using ::testing::AllOf;
using testing::DistilBertReference;
using testing::evaluate;
using ::testing::HasSubstr;
using testing::message_of;
using testing::module_of;
using ::testing::Not;
using testing::scripted;
using testing::small_shape;
using testing::training_context;

/// The message of loading a `.pt` file whose module has the methods of `source`.
std::string load_message(const std::string& source) {
  const testing::TempDir dir;
  const std::filesystem::path path = dir.path() / "model.pt";
  module_of(source).save(path.string());
  const std::string message = message_of<CheckpointError>([&] { load_torchscript(path, 3, 0); });
  EXPECT_THAT(message, Not(HasSubstr("frame #"))) << "a C++ backtrace";
  EXPECT_THAT(message, Not(HasSubstr("Traceback")));
  EXPECT_THAT(message, Not(HasSubstr("\n")));
  return message;
}

TEST(TorchScriptFile, OneScriptedInPythonComputesTheSameAndTrains) {
  const auto model = scripted();
  const DistilBertReference reference;
  const Batch batch = reference.batch();
  EXPECT_LT(
      testing::largest_difference(model->forward(batch, {}), reference.tensor("scripted.logits")),
      1e-5);
  EXPECT_EQ(model->max_tokens(), 0);
  EXPECT_EQ(model->class_count(), 3);
  const auto parameters = model->parameters();
  ASSERT_EQ(parameters.size(), 3u);
  EXPECT_EQ(parameters[0].name, "tokens.weight");
  EXPECT_EQ(parameters[0].role, ParameterRole::embedding);
  EXPECT_EQ(parameters[1].name, "out.weight");
  EXPECT_EQ(parameters[1].role, ParameterRole::matrix);
  EXPECT_EQ(parameters[2].name, "out.bias");
  EXPECT_EQ(parameters[2].role, ParameterRole::vector);
  const std::vector<double> losses = testing::train_by_hand(*model, batch, 0.2);
  EXPECT_LT(losses.back(), losses.front());
}

TEST(TorchScriptFile, OneTracedInPythonComputesTheSameForBatchesOfAnySize) {
  const auto model = load_torchscript(testing::distilbert_folder() / "traced.pt", 3, 0);
  const DistilBertReference reference;
  const at::Tensor expected = reference.tensor("output.logits");
  EXPECT_LT(testing::largest_difference(model->forward(reference.batch(), {}), expected), 1e-5);
  const at::Tensor tokens = reference.tensor("input.tokens");
  const auto* data = tokens.const_data_ptr<std::int32_t>();
  const std::vector<std::int32_t> first(data, data + 7);
  EXPECT_LT(testing::largest_difference(evaluate(*model, {first})[0], expected[0]), 1e-5);
  EXPECT_EQ(
      testing::parameter(*model, "model.distilbert.embeddings.word_embeddings.weight").sizes(),
      at::IntArrayRef({40, 16}));
}

TEST(TorchScriptFile, SavedAndLoadedGivesTheSameLogitsAndParameters) {
  const auto model = make_distilbert(small_shape(), 1);
  const Batch batch = DistilBertReference().batch();
  const at::Tensor expected = model->forward(batch, {}).detach();
  model->forward(batch, training_context(1));  // saved in evaluation all the same
  const testing::TempDir dir;
  const std::filesystem::path path = dir.path() / "model.pt";
  model->save(path);
  const auto loaded = load_torchscript(path, 3, 0);
  EXPECT_TRUE(loaded->forward(batch, {}).equal(expected));
  EXPECT_EQ(loaded->max_tokens(), 24);
  const auto before = model->parameters();
  const auto after = loaded->parameters();
  ASSERT_EQ(after.size(), before.size());
  for (std::size_t i = 0; i < after.size(); ++i) {
    EXPECT_EQ(after[i].name, before[i].name);
    EXPECT_EQ(after[i].role, before[i].role);
    EXPECT_TRUE(after[i].tensor.requires_grad());
    EXPECT_TRUE(after[i].tensor.equal(before[i].tensor)) << after[i].name;
  }
  EXPECT_TRUE(loaded->forward(batch, training_context(3))
                  .equal(model->forward(batch, training_context(3))));
  const std::string first = read_file(path);
  model->save(path);
  EXPECT_EQ(read_file(path), first) << "equal models, other bytes";
  EXPECT_THROW(model->save(dir.path() / "none" / "model.pt"), SystemError);
}

TEST(TorchScriptFile, SaysThatItIsMissing) {
  EXPECT_THAT(message_of<CheckpointError>([] { load_torchscript("/nowhere/model.pt", 3, 0); }),
              HasSubstr("There is no file '/nowhere/model.pt'; expected a TorchScript model"));
}

TEST(TorchScriptFile, SaysThatItIsNoTorchScript) {
  const testing::TempDir dir;
  for (const std::string& content :
       {std::string("some text"), std::string(),
        read_file(testing::distilbert_folder() / "model.safetensors"),
        read_file(testing::distilbert_folder() / "traced.pt").substr(0, 50'000)}) {
    const auto path = dir.write("model.pt", content);
    const std::string message = message_of<CheckpointError>([&] { load_torchscript(path, 3, 0); });
    EXPECT_THAT(message,
                AllOf(HasSubstr("model.pt' is no TorchScript model ("),
                      HasSubstr("torch.jit.script or torch.jit.trace"), Not(HasSubstr("frame #")),
                      Not(HasSubstr("miniz error")), Not(HasSubstr("\n"))));
  }
}

TEST(TorchScriptFile, SaysWhatIsWrongWithForward) {
  EXPECT_THAT(load_message(""), HasSubstr("has no method forward; expected forward(input_ids "
                                          "int64[B, L], attention_mask int64[B, L]) -> logits"));
  EXPECT_THAT(load_message("def forward(self, input_ids):\n    return input_ids\n"),
              HasSubstr("has forward(input_ids: Tensor); expected forward(input_ids int64[B, L],"));
  EXPECT_THAT(
      load_message("def forward(self, a, b, c):\n    return a + b + c\n"),
      HasSubstr("has forward(a: Tensor, b: Tensor, c: Tensor); expected forward(input_ids"));
  EXPECT_THAT(load_message("def forward(self, a: str, b):\n    return b\n"),
              HasSubstr("has forward(a: str, b: Tensor); expected"));
  EXPECT_THAT(load_message("def forward(self, a, b):\n    return a.view([7, 9])\n"),
              HasSubstr("The TorchScript module failed: shape '[7, 9]' is invalid for input of "
                        "size 10."));
}

TEST(TorchScriptFile, SaysWhatIsWrongWithTheResult) {
  const std::string logits = "torch.embedding(self.weight, torch.select(a, 1, 0))";
  EXPECT_THAT(load_message("def forward(self, a, b):\n    return (" + logits + ", b)\n"),
              HasSubstr("forward gave Tuple[Tensor, Tensor]; expected one tensor, logits [2, 3]"));
  EXPECT_THAT(load_message("def forward(self, a, b):\n    return {\"logits\": " + logits + "}\n"),
              HasSubstr("forward gave Dict[str, Tensor]; expected one tensor"));
  EXPECT_THAT(load_message("def forward(self, a, b):\n    return " + logits + "[:, :2]\n"),
              HasSubstr("cannot be used as a classifier of 3 classes, tried on 2 and 3 texts. The "
                        "TorchScript module's "
                        "forward gave floating numbers of shape [2, 2] for 2 texts and 3 classes; "
                        "expected logits [2, 3]."));
  EXPECT_THAT(
      load_message("def forward(self, a, b):\n    return torch.embedding(self.weight, a)\n"),
      HasSubstr("shape [2, 5, 3]"));
  EXPECT_THAT(load_message("def forward(self, a, b):\n    return a[:, :3]\n"),
              HasSubstr("whole numbers of shape [2, 3]"));
  EXPECT_THAT(load_message("def forward(self, a, b):\n    return self.weight[:2]\n"),
              HasSubstr("shape [2, 3] for 3 texts and 3 classes; expected logits [3, 3]"))
      << "the number of texts is fixed in the module";
}

}  // namespace
}  // namespace diffuse
