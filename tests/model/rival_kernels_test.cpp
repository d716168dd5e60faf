// Which code computes the models that differ from ours in what mixes the tokens, and that half
// precision, for which a GPU has code of its own, is near float32.

#include <ATen/ops/cross_entropy_loss.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "diffuse/base/error.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/device/precision.hpp"
#include "diffuse/model/model_description.hpp"
#include "model/mixers/attention_block.hpp"
#include "support.hpp"

namespace diffuse {
namespace {

constexpr ModelShape kRivalShape{40, 3, 2, 0};

TEST(AttentionKernel, IsTheFlashKernelWhereThatTakesTheHeads) {
  constexpr std::array kTypes = {at::kDouble, at::kFloat, at::kBFloat16, at::kHalf};
  for (const bool computes_bf16 : {false, true}) {  // false: a CPU, or a GPU before 8.0
    for (const at::ScalarType type : kTypes) {
      for (std::int64_t width = 1; width <= 512; ++width) {
        const bool is_half = type == at::kBFloat16 || type == at::kHalf;
        const bool expected = computes_bf16 && is_half && width % 8 == 0 && width <= 192;
        EXPECT_EQ(attention_kernel(computes_bf16, type, width),
                  expected ? AttentionKernel::flash : AttentionKernel::sdpa)
            << computes_bf16 << ", " << type << ", " << width;
      }
    }
  }
}

/// A model and what computes it: `at_best` in half precision on a GPU of compute capability 8.0 and
/// up, else `elsewhere`.
struct Rival {
  const char* name;
  ModelType type;
  std::int64_t dim;  ///< in two heads
  const char* at_best;
  const char* elsewhere;

  Config config() const {
    Config config;
    config.model.type = type;
    config.model.dim = dim;
    config.model.embedding_init_std = 1.0;
    // Rounding would choose other maxima, whose gradients are those of other tokens.
    config.model.pooling = Pooling::mean;
    config.mixer.heads = 2;
    config.mixer.max_positions = 16;
    config.mixer.projected = 4;
    config.mixer.features = 16;
    config.mixer.head_dim = 8;
    config.mixer.state_dim = 4;
    for (BertFamilyConfig* sizes : {&config.bert, &config.distilbert}) {
      sizes->dim = dim;
      sizes->heads = 2;
      sizes->layers = 2;
      sizes->hidden_dim = 32;
      sizes->max_positions = 16;
      sizes->init_std = 1.0 / std::sqrt(static_cast<double>(dim));  // weights far from equal
    }
    return config;
  }
};

constexpr const char* kFlash = "flash, unpadded";
constexpr const char* kSdpa = "SDPA";
constexpr const char* kTensors = "tensor operations";
constexpr std::array kRivals = {
    Rival{"transformer", ModelType::transformer, 16, kFlash, kSdpa},
    Rival{"transformer_of_odd_heads", ModelType::transformer, 50, kSdpa, kSdpa},
    Rival{"bert", ModelType::bert, 16, kFlash, kSdpa},
    Rival{"bert_of_odd_heads", ModelType::bert, 50, kSdpa, kSdpa},
    Rival{"linformer", ModelType::linformer, 16, kSdpa, kSdpa},
    Rival{"performer", ModelType::performer, 16, kTensors, kTensors},
    Rival{"mamba", ModelType::mamba, 16, kTensors, kTensors},
    Rival{"distilbert", ModelType::distilbert, 16, "TorchScript", "TorchScript"}};

std::string kernel_of(const Config& config, at::Device device, Precision precision) {
  return description_of(config).kernel_name(config, Kernel::reference, device, precision);
}

TEST(RivalKernels, HaveTheirNamesOnTheCpu) {
  for (const Rival& rival : kRivals) {
    for (const Precision precision : {Precision::fp32, Precision::bf16, Precision::fp16})
      EXPECT_EQ(kernel_of(rival.config(), at::kCPU, precision), rival.elsewhere) << rival.name;
  }
  Config config;
  config.model.type = ModelType::torchscript;
  EXPECT_EQ(kernel_of(config, at::kCPU, Precision::fp32), "TorchScript");
  config.model.type = ModelType::diffusion;
  EXPECT_EQ(description_of(config).kernel_name(config, Kernel::fused, at::kCPU, Precision::fp32),
            "fused");
}

/// Texts of several lengths, so that some are padded where anything is.
Batch some_texts() {
  testing::Sequences texts;
  for (const std::int32_t length : {4, 1, 7, 2, 11, 5}) {
    texts.emplace_back();
    for (std::int32_t i = 0; i < length; ++i)
      texts.back().push_back((i * 7919 + length * 13) % 37 + 3);
  }
  return testing::batch_of(texts);
}

struct Outcome {
  at::Tensor logits;
  std::vector<at::Tensor> gradients;
};

/// On the CPU, whatever the device.
Outcome outcome_of(const Config& config, at::Device device, Precision precision) {
  const auto model = make_classifier(config, kRivalShape, 1);
  model->to(device);
  const Batch batch = testing::batch_on(some_texts(), device);
  at::Tensor logits;
  {
    const PrecisionScope scope(precision, device);
    logits = model->forward(batch, {});
  }
  // float16 would lose small gradients, as without a gradient scaler.
  at::cross_entropy_loss(logits, batch.labels).mul(256).backward();
  Outcome outcome{.logits = logits.detach().cpu(), .gradients = {}};
  for (const NamedParameter& p : model->parameters())
    outcome.gradients.push_back(p.tensor.grad().defined() ? p.tensor.grad().cpu() : at::Tensor());
  return outcome;
}

double length_of(const at::Tensor& x) { return x.norm().item<double>(); }

struct Place {
  const char* device;
  Precision precision;
  double tolerance;  ///< in parts of a tensor's length
};

constexpr std::array kPlaces = {Place{"cpu", Precision::bf16, 0.1},
                                Place{"cuda", Precision::bf16, 0.1},
                                Place{"cuda", Precision::fp16, 0.02}};

class HalfPrecision : public ::testing::TestWithParam<std::tuple<Rival, Place>> {};

TEST_P(HalfPrecision, LogitsAndGradientsAreNearThoseOfFloat) {
  const auto& [rival, place] = GetParam();
  at::Device device = at::kCPU;
  try {
    device = resolve_device(place.device);
  } catch (const SystemError& error) {
    GTEST_SKIP() << error.what();
  }
  const bool best = computes_bf16(device);
  if (device.is_cuda() && !best && place.precision == Precision::bf16)
    GTEST_SKIP() << "a GPU before compute capability 8.0, which does not multiply bf16";
  const Config config = rival.config();
  EXPECT_EQ(kernel_of(config, device, place.precision), best ? rival.at_best : rival.elsewhere);
  EXPECT_EQ(kernel_of(config, device, Precision::fp32), rival.elsewhere);

  const Outcome expected = outcome_of(config, at::kCPU, Precision::fp32);
  const Outcome found = outcome_of(config, device, place.precision);
  EXPECT_LE(length_of(found.logits.sub(expected.logits)),
            place.tolerance * length_of(expected.logits));
  double longest = 0;
  for (const at::Tensor& gradient : expected.gradients)
    if (gradient.defined()) longest = std::max(longest, length_of(gradient));
  const auto parameters = make_classifier(config, kRivalShape, 1)->parameters();
  for (std::size_t i = 0; i < expected.gradients.size(); ++i) {
    const at::Tensor& wanted = expected.gradients[i];
    ASSERT_EQ(found.gradients[i].defined(), wanted.defined()) << parameters[i].name;
    if (!wanted.defined()) continue;
    // One that is 0 but for rounding, as that of the keys' bias, is measured by the others.
    EXPECT_LE(length_of(found.gradients[i].sub(wanted)),
              place.tolerance * std::max(length_of(wanted), 0.1 * longest))
        << parameters[i].name;
  }
}

std::string half_case_name(const ::testing::TestParamInfo<std::tuple<Rival, Place>>& info) {
  const auto& [rival, place] = info.param;
  return std::string(rival.name) + "_" + place.device + "_" +
         std::string(enum_name(place.precision));
}

INSTANTIATE_TEST_SUITE_P(Rivals, HalfPrecision,
                         ::testing::Combine(::testing::ValuesIn(kRivals),
                                            ::testing::ValuesIn(kPlaces)),
                         half_case_name);

}  // namespace
}  // namespace diffuse
