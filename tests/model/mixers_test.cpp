// The models that differ from ours in what mixes the tokens, against scripts/reference/mixers.py: a
// text at a time, attention written out, the state space a plain loop.

#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "diffuse/base/error.hpp"
#include "diffuse/base/safetensors.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/device/precision.hpp"
#include "diffuse/model/model_description.hpp"
#include "model/mixers/encoder_classifier.hpp"
#include "model/mixers/mamba_block.hpp"
#include "model/mixers/state_space.hpp"
#include "model/tensor_file.hpp"
#include "support.hpp"
#include "support/message_of.hpp"
#include "support/test_data.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;
using testing::batch_of;

fs::path mixer_fixtures() { return testing::test_data() / "fixtures" / "mixers"; }

class MixerFixture : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const auto info = nlohmann::json::parse(file_.metadata().at("case"));
    config_ = parse_config(info.at("config").dump(), GetParam());
    shape_ = {info.at("vocab_size"), info.at("classes"), 0, 0};
    batch_ = testing::batch_in(file_);
  }

  at::Tensor tensor(const std::string& name, const at::Tensor& like) const {
    const at::Tensor read = at::empty(file_.tensors().at(name).shape, at::kFloat);
    copy_into(read, file_.tensors().at(name));
    return read.to(like.options());
  }

  std::unique_ptr<EncoderClassifier> model() const {
    FreshTensors tensors(1);
    auto model = std::make_unique<EncoderClassifier>(config_, shape_, tensors);
    const at::NoGradGuard no_grad;
    for (const NamedParameter& p : model->parameters())
      p.tensor.copy_(tensor("parameter." + p.name, p.tensor));
    return model;
  }

  void expect_close(const std::string& name, const at::Tensor& actual, double tolerance) const {
    const at::Tensor expected = tensor(name, actual);
    ASSERT_EQ(actual.sizes(), expected.sizes()) << name;
    EXPECT_TRUE(actual.allclose(expected, tolerance, tolerance))
        << name << ": largest difference " << actual.sub(expected).abs().max().item<double>();
  }

  void compare(Classifier& model, double tolerance) const {
    const at::Tensor logits = model.forward(batch_, {});
    expect_close("output.logits", logits.detach(), tolerance);
    const at::Tensor loss = at::cross_entropy_loss(logits, batch_.labels);
    expect_close("output.loss", loss.detach().reshape({1}), tolerance);
    loss.backward();
    for (const NamedParameter& p : model.parameters()) {
      ASSERT_TRUE(p.tensor.grad().defined()) << p.name;
      expect_close("gradient." + p.name, p.tensor.grad(), tolerance);
    }
  }

  SafetensorsFile file_ = SafetensorsFile::read(mixer_fixtures() / (GetParam() + ".safetensors"));
  Config config_;
  ModelShape shape_;
  Batch batch_;
};

TEST_P(MixerFixture, HasTheReferencesParametersAndNoOthers) {
  std::set<std::string> expected;
  for (const auto& [name, view] : file_.tensors())
    if (name.starts_with("parameter.")) expected.insert(name.substr(std::strlen("parameter.")));
  std::set<std::string> actual;
  for (const NamedParameter& p : make_classifier(config_, shape_, 1)->parameters())
    actual.insert(p.name);
  EXPECT_EQ(actual, expected);
}

TEST_P(MixerFixture, ForwardAndGradientsAgreeInFloat) { compare(*model(), 2e-5); }

TEST_P(MixerFixture, ForwardAndGradientsAgreeInDouble) {
  const auto m = model();
  m->to_dtype(at::kDouble);
  compare(*m, 5e-7);
}

TEST_P(MixerFixture, ATextIsTheSameAloneAndAmongOthers) {
  const auto m = model();
  const at::NoGradGuard no_grad;
  const at::Tensor together = m->forward(batch_, {});
  for (std::size_t b = 0; b + 1 < batch_.host_offsets.size(); ++b) {
    const auto tokens = batch_.tokens.slice(0, batch_.host_offsets[b], batch_.host_offsets[b + 1]);
    const auto* data = tokens.const_data_ptr<std::int32_t>();
    const Batch alone = batch_of({std::vector<std::int32_t>(data, data + tokens.numel())});
    EXPECT_TRUE(m->forward(alone, {}).allclose(
        together.slice(0, static_cast<std::int64_t>(b), static_cast<std::int64_t>(b) + 1), 1e-5,
        1e-5));
  }
}

TEST_P(MixerFixture, HalfPrecisionIsNear) {
  const auto m = model();
  const at::NoGradGuard no_grad;
  const PrecisionScope scope(Precision::bf16, at::kCPU);
  const at::Tensor logits = m->forward(batch_, {});
  EXPECT_EQ(logits.scalar_type(), at::kFloat);
  expect_close("output.logits", logits, 0.1);
}

TEST_P(MixerFixture, ForwardAndGradientsAgreeOnCuda) {
  at::Device device = at::kCPU;
  try {
    device = resolve_device("cuda");
  } catch (const SystemError& error) {
    GTEST_SKIP() << error.what();
  }
  const auto m = model();
  m->to(device);
  batch_ = testing::batch_on(batch_, device);
  compare(*m, 1e-4);
}

TEST_P(MixerFixture, ItsSizeIsKnownWithoutMemoryForIt) {
  EXPECT_EQ(count_parameters(config_, shape_),
            parameter_count(*make_classifier(config_, shape_, 1)));
  EXPECT_EQ(count_constants(config_), make_classifier(config_, shape_, 1)->constant_count());
}

std::vector<std::string> mixer_fixture_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(mixer_fixtures()))
    names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Reference, MixerFixture, ::testing::ValuesIn(mixer_fixture_names()),
                         [](const auto& test) { return test.param; });

/// A text of random tokens.
Batch random_text(std::int64_t length) {
  std::vector<std::int32_t> tokens;
  for (std::int64_t i = 0; i < length; ++i)
    tokens.push_back(static_cast<std::int32_t>((i * 7919 + 13) % 17));
  return batch_of({tokens});
}

/// y and the gradients of x, a, b and c, where y is weighed by `weights`.
std::vector<at::Tensor> with_gradients(std::vector<at::Tensor> inputs, const at::Tensor& weights,
                                       std::int64_t chunk) {
  for (at::Tensor& input : inputs) input = input.clone().set_requires_grad(true);
  const at::Tensor y = state_space(inputs[0], inputs[1], inputs[2], inputs[3], chunk);
  y.mul(weights).sum().backward();
  std::vector<at::Tensor> found = {y.detach()};
  for (const at::Tensor& input : inputs) found.push_back(input.grad());
  return found;
}

TEST(StateSpace, DoesNotDependOnThePieces) {
  // Of 300 pieces the states are handed on in groups, and those of the groups in groups again.
  for (const std::int64_t length : {50, 300}) {
    // Decays through which a text's end sees its beginning.
    const at::Tensor a = at::randn({2, length, 3}, at::kDouble).abs().mul(-1.0 / 50);
    const std::vector<at::Tensor> inputs = {at::randn({2, length, 3, 4}, at::kDouble), a,
                                            at::randn({2, length, 5}, at::kDouble),
                                            at::randn({2, length, 5}, at::kDouble)};
    const at::Tensor weights = at::randn({2, length, 3, 4}, at::kDouble);
    const auto whole = with_gradients(inputs, weights, length);
    for (const std::int64_t chunk : {1, 7, 10, 25, 49, 50}) {
      const auto found = with_gradients(inputs, weights, chunk);
      for (std::size_t i = 0; i < whole.size(); ++i)
        EXPECT_TRUE(found[i].allclose(whole[i], 1e-9, 1e-9))
            << length << " tokens in pieces of " << chunk << ", tensor " << i;
    }
  }
}

TEST(Mamba, ReadsOneWayOrBoth) {
  Config config;
  config.model.type = ModelType::mamba;
  config.model.dim = 8;
  config.mixer.head_dim = 4;
  config.mixer.state_dim = 4;
  const Batch batch = random_text(9);
  const TextGrid grid(batch);
  const at::Tensor x = at::randn({9, 8});
  at::Tensor other = x.clone();
  other[8].neg_();
  for (const bool both : {false, true}) {
    config.mixer.both_directions = both;
    FreshTensors tensors(1);
    const MambaBlock block(config, tensors);
    const at::NoGradGuard no_grad;
    const at::Tensor moved = block.forward(x, grid, {}).sub(block.forward(other, grid, {})).abs();
    EXPECT_EQ(moved.slice(0, 0, 8).max().item<float>() > 0, both);
    EXPECT_GT(moved[8].max().item<float>(), 0);
    EXPECT_THAT(description_of(config).summary(config),
                ::testing::HasSubstr(both ? "both directions" : "one direction"));
  }
}

TEST(Linformer, RefusesATextLongerThanItsProjection) {
  Config config;
  config.model.type = ModelType::linformer;
  config.model.dim = 8;
  config.mixer.max_positions = 20;
  const auto model = make_classifier(config, {17, 2, 0, 0}, 1);
  EXPECT_EQ(description_of(config).longest_text(config), 20);
  EXPECT_NO_THROW(model->forward(random_text(20), {}));
  EXPECT_THAT(testing::message_of<UserError>([&] { model->forward(random_text(21), {}); }),
              ::testing::HasSubstr("A text has 21 tokens, the Linformer takes 20 at most"));
}

TEST(PositionTable, IsSinesThenCosines) {
  const at::Tensor table = position_table(3, 5);
  EXPECT_EQ(table.sizes(), (std::vector<std::int64_t>{3, 5}));
  EXPECT_NEAR(table[2][0].item<double>(), std::sin(2.0), 1e-6);
  EXPECT_NEAR(table[2][1].item<double>(), std::sin(2.0 / std::pow(10000, 0.4)), 1e-6);
  EXPECT_NEAR(table[2][3].item<double>(), std::cos(2.0), 1e-6);
}

}  // namespace
}  // namespace diffuse
