#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/model/classifier.hpp"

namespace diffuse {

/// Where nothing else is said.
inline constexpr std::int64_t kLength = 45;  ///< tokens of a text, as AG News has
inline constexpr int kThreads = 1;

/// A batch of `texts` texts of `length` tokens, whose frequencies fall as those of words do (by
/// Zipf), of a vocabulary of `vocabulary`.
struct TextBatch {
  TextBatch(std::int64_t texts, std::int64_t length, std::int64_t vocabulary,
            std::uint64_t seed = 1);

  std::int64_t tokens() const { return static_cast<std::int64_t>(rows.tokens().size()); }
  std::int64_t texts() const { return static_cast<std::int64_t>(rows.labels().size()); }
  Batch batch() const;

  PackedRows rows;  ///< labels: of four classes
};

/// Reproducible numbers from N(0, scale²).
at::Tensor normal_tensor(at::IntArrayRef shape, double scale = 1.0);

/// The kinds of operator that are measured, all but the first by what they have another of.
struct Kind {
  const char* name;
  ModelConfig config;
};
const std::vector<Kind>& kinds();

}  // namespace diffuse
