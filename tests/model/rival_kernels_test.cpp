// Which code computes the models that differ from ours in what mixes the tokens.

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "diffuse/model/model_description.hpp"
#include "model/mixers/attention_block.hpp"

namespace diffuse {
namespace {

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

}  // namespace
}  // namespace diffuse
