// The classifier against scripts/reference_model.py: the padded, masked form of the equations,
// written independently in Python. Each fixture holds inputs, parameters, logits, loss and every
// gradient.

#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "diffuse/base/error.hpp"
#include "diffuse/base/safetensors.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/ops/reference/adversarial.hpp"
#include "support.hpp"
#include "support/test_data.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;

at::Tensor tensor_of(const TensorView& view) {
  const at::ScalarType dtype = view.dtype == DType::i64   ? at::kLong
                               : view.dtype == DType::i32 ? at::kInt
                                                          : at::kFloat;
  const at::Tensor tensor = at::empty(view.shape, dtype);
  std::memcpy(tensor.data_ptr(), view.bytes.data(), view.bytes.size());
  return tensor;
}

class Fixture : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const auto info = nlohmann::json::parse(file_.metadata().at("case"));
    config_ = parse_config(nlohmann::json{{"model", info.at("model")}}.dump(), GetParam()).model;
    adversarial_ = info.value("adversarial", 0.0);
    shape_ = {info.at("vocab_size"), info.at("classes"), 0};
    shape_.numbers = info.value("values", false);
    batch_ = testing::batch_in(file_);
  }

  at::Tensor tensor(const std::string& name) const { return tensor_of(file_.tensors().at(name)); }

  std::unique_ptr<DiffusionClassifier> model() const {
    auto model = std::make_unique<DiffusionClassifier>(config_, shape_, 1);
    const at::NoGradGuard no_grad;
    for (const NamedParameter& p : model->parameters()) {
      p.tensor.copy_(tensor("parameter." + p.name));
    }
    return model;
  }

  void expect_close(const std::string& name, const at::Tensor& actual, double tolerance) const {
    const at::Tensor expected = tensor(name).to(actual.options());
    ASSERT_EQ(actual.sizes(), expected.sizes()) << name;
    EXPECT_TRUE(actual.allclose(expected, tolerance, tolerance))
        << name << ": largest difference " << actual.sub(expected).abs().max().item<double>();
  }

  /// Compares logits, loss and every gradient within `tolerance`, absolute and relative.
  void compare(DiffusionClassifier& model, double tolerance) const {
    EmbeddingAccess embeddings;
    // Kernel::operations has a way of its own for those who ask for the embeddings' sum.
    const ForwardContext context{.embeddings = adversarial_ > 0 ? &embeddings : nullptr};
    const at::Tensor logits = model.forward(batch_, context);
    expect_close("output.logits", logits.detach(), tolerance);
    const at::Tensor loss = at::cross_entropy_loss(logits, batch_.labels);
    expect_close("output.loss", loss.detach().reshape({1}), tolerance);
    loss.backward();
    if (adversarial_ > 0) {
      embeddings.step = reference_adversarial_step(embeddings.sum.detach(), embeddings.sum.grad(),
                                                   batch_.host_offsets, adversarial_);
      at::cross_entropy_loss(model.forward(batch_, context), batch_.labels).backward();
    }
    for (const NamedParameter& p : model.parameters()) {
      ASSERT_TRUE(p.tensor.grad().defined()) << p.name;
      expect_close("gradient." + p.name, p.tensor.grad(), tolerance);
    }
  }

  /// On a device that there may be none of; answers without gradients besides.
  void compare_on(const std::string& name, Kernel kernel, double tolerance) {
    at::Device device = at::kCPU;
    try {
      device = resolve_device(name);
    } catch (const SystemError& error) {
      GTEST_SKIP() << error.what();
    }
    const auto m = model();
    m->to(device);
    m->use_kernel(kernel, Precision::fp32);
    ASSERT_EQ(m->kernel(), kernel);
    batch_ = testing::batch_on(batch_, device);
    {
      const at::NoGradGuard no_grad;
      expect_close("output.logits", m->forward(batch_, {}), tolerance);
    }
    compare(*m, tolerance);
  }

  SafetensorsFile file_ =
      SafetensorsFile::read(testing::test_data() / "fixtures" / (GetParam() + ".safetensors"));
  ModelConfig config_;
  double adversarial_ = 0;
  ModelShape shape_;
  Batch batch_;
};

TEST_P(Fixture, HasTheModelsParametersAndNoOthers) {
  std::set<std::string> expected;
  for (const auto& [name, view] : file_.tensors()) {
    if (name.starts_with("parameter.")) expected.insert(name.substr(std::strlen("parameter.")));
  }
  std::set<std::string> actual;
  const DiffusionClassifier fresh(config_, shape_, 1);
  for (const NamedParameter& p : fresh.parameters()) {
    actual.insert(p.name);
    ASSERT_TRUE(expected.contains(p.name)) << p.name;
    EXPECT_EQ(p.tensor.sizes(), tensor("parameter." + p.name).sizes()) << p.name;
  }
  EXPECT_EQ(actual, expected);
}

TEST_P(Fixture, ForwardAndGradientsAgreeInFloat) { compare(*model(), 1e-5); }

TEST_P(Fixture, ForwardAndGradientsAgreeInDouble) {
  const auto m = model();
  m->to_dtype(at::kDouble);
  // The fixtures hold what float32 keeps of the reference's float64.
  compare(*m, 2e-7);
}

TEST_P(Fixture, ForwardAndGradientsAgreeInTheFusedKernel) {
  config_.token_dropout = config_.bigram_dropout = 0;
  config_.embedding_dropout = config_.head_dropout = 0;
  const auto m = model();
  m->use_kernel(Kernel::fused, Precision::fp32);
  {
    const at::NoGradGuard no_grad;
    expect_close("output.logits", m->forward(batch_, {}), 1e-5);
  }
  const auto figures = m->train_pass(
      batch_, {.training = true},
      {.weight = 1.0 / static_cast<double>(batch_.size()), .adversarial = adversarial_});
  EXPECT_NEAR(figures.value().loss, tensor("output.loss").item<float>(), 1e-5);
  std::vector<at::Tensor> embeddings = testing::embedding_gradients(*m);
  for (const NamedParameter& p : m->parameters()) {
    at::Tensor gradient = p.tensor.grad();
    if (p.role == ParameterRole::embedding) {
      gradient = embeddings.front();
      embeddings.erase(embeddings.begin());
    }
    expect_close("gradient." + p.name, gradient, 2e-5);
  }
}

TEST_P(Fixture, ForwardAndGradientsAgreeByOperations) {
  compare_on("cpu", Kernel::operations, 2e-5);
}

TEST_P(Fixture, ForwardAndGradientsAgreeByOperationsOnCuda) {
  compare_on("cuda", Kernel::operations, 1e-4);
}

TEST_P(Fixture, ForwardAndGradientsAgreeOnCuda) { compare_on("cuda", Kernel::reference, 1e-4); }

std::vector<std::string> fixture_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(testing::test_data() / "fixtures")) {
    // Folders hold fixtures of other tests.
    if (entry.is_regular_file()) names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(ReferenceModel, Fixture, ::testing::ValuesIn(fixture_names()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace diffuse
