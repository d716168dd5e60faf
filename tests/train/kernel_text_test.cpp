#include "diffuse/train/kernel_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace diffuse {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const at::Device kGpu(at::kCUDA, 0);  // nothing is asked of it

std::string text_of(ModelType type, Kernel kernel, at::Device device) {
  Config config;
  config.model.type = type;
  return kernel_text(kernel, device, config, Precision::fp32, /*resumed=*/false);
}

TEST(KernelText, SaysNotExactWhereNothingAddsInOneOrder) {
  EXPECT_THAT(text_of(ModelType::distilbert, Kernel::reference, kGpu), HasSubstr("(not exact"));
  EXPECT_THAT(text_of(ModelType::torchscript, Kernel::reference, kGpu), HasSubstr("(not exact"));
  EXPECT_THAT(text_of(ModelType::diffusion, Kernel::operations, kGpu),
              HasSubstr("(the same bytes in each run)"));
  EXPECT_THAT(text_of(ModelType::diffusion, Kernel::reference, kGpu),
              HasSubstr("(those that add in one order)"));
  for (const ModelType type : {ModelType::distilbert, ModelType::diffusion})
    EXPECT_THAT(text_of(type, Kernel::reference, at::kCPU), Not(HasSubstr("not exact")));
}

TEST(KernelText, SaysWhatComputesAModelOfAnotherType) {
  EXPECT_EQ(text_of(ModelType::transformer, Kernel::reference, at::kCPU), "SDPA");
  EXPECT_EQ(text_of(ModelType::bert, Kernel::reference, at::kCPU), "SDPA");
  EXPECT_EQ(text_of(ModelType::mamba, Kernel::reference, at::kCPU), "tensor operations");
  EXPECT_EQ(text_of(ModelType::distilbert, Kernel::reference, kGpu),
            "TorchScript (not exact: two runs differ a little)");
}

TEST(KernelText, SaysWhichRowsOfTheEmbeddingAreUpdatedWhereItHasRows) {
  Config config;
  const auto text = [&](bool resumed) {
    return kernel_text(Kernel::operations, kGpu, config, Precision::fp32, resumed);
  };
  EXPECT_EQ(text(false),
            "this program's operations; touched rows of the embedding (the same bytes in each "
            "run)");
  EXPECT_EQ(text(true),
            "this program's operations; the embedding's rows as before the resume (the same bytes "
            "in each run)");
  config.train.embedding_update = EmbeddingUpdate::dense;
  EXPECT_THAT(text(false), HasSubstr("; all rows of the embedding ("));
  config.tokenizer.type = TokenizerType::values;
  for (const bool resumed : {false, true})
    EXPECT_EQ(text(resumed), "this program's operations (the same bytes in each run)");
}

TEST(KernelText, WhatHasNoKernelGoesByLibTorchsDeterministicOperations) {
  EXPECT_TRUE(wants_deterministic(Kernel::reference, kGpu));  // DistilBERT's, too
  EXPECT_FALSE(wants_deterministic(Kernel::operations, kGpu));
  EXPECT_FALSE(wants_deterministic(Kernel::reference, at::kCPU));
}

}  // namespace
}  // namespace diffuse
