#pragma once

#include <cstdint>
#include <span>

#include "diffuse/ops/counter_random.hpp"
#include "diffuse/ops/fused_head.hpp"
#include "layout.hpp"

namespace diffuse::cpu {

/// A head ready to run. Widths are padded but for those in `spec`.
struct HeadPlan {
  HeadSpec spec;
  double label_smoothing = 0;
  std::int64_t input = 0;    ///< P
  std::int64_t hidden = 0;   ///< 0: none
  std::int64_t classes = 0;  ///< C
  Panels in{};               ///< depth P, width hidden
  Panels in_back{};
  const float* in_bias = nullptr;
  Panels out{};  ///< depth hidden or P, width C
  Panels out_back{};
  const float* out_bias = nullptr;
  // Places of the gradients in a slot, and its size.
  std::int64_t in_at = 0;  ///< [hidden, P]
  std::int64_t in_bias_at = 0;
  std::int64_t out_at = 0;  ///< [C, hidden or P]
  std::int64_t out_bias_at = 0;
  std::int64_t size = 0;
};

/// Texts that go through the head together.
struct HeadBatch {
  std::span<const std::int64_t> texts;   ///< numbers in the batch
  const std::int64_t* labels = nullptr;  ///< of the whole batch; null: no loss
  const float* distributions = nullptr;  ///< [B, C], in the labels' place; null: none
  bool several = false;                  ///< they are targets of each class by itself
  const float* weights = nullptr;        ///< [B] of each text's loss; null: all 1
  float weight = 1;                      ///< of all losses in the gradients
  const RandomPlace* random = nullptr;   ///< of dropout; null: none
};

/// A thread's memory for them.
struct HeadMemory {
  float* input = nullptr;            ///< [n, P]
  float* hidden = nullptr;           ///< [n, hidden]
  float* slope = nullptr;            ///< [n, hidden]
  float* logits = nullptr;           ///< [n, C]
  float* label_memory = nullptr;     ///< [C]
  float* input_gradient = nullptr;   ///< [n, P]
  float* hidden_gradient = nullptr;  ///< [n, hidden]
  std::uint16_t* input_bits = nullptr;
  std::uint16_t* hidden_bits = nullptr;
};

}  // namespace diffuse::cpu
