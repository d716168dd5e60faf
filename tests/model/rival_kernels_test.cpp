// Which code computes the models that differ from ours in what mixes the tokens.

#include <gtest/gtest.h>

#include <array>

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

}  // namespace
}  // namespace diffuse
