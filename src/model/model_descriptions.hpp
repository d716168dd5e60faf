#pragma once

#include "diffuse/model/model_description.hpp"

namespace diffuse {

const ModelDescription& diffusion_description();
const ModelDescription& torchscript_description();
/// Of a type of ModelFamily::bert.
const ModelDescription& bert_family_description(ModelType type);
/// Of a type of ModelFamily::mixer.
const ModelDescription& mixer_description(ModelType type);

/// Floating-point operations of a product with an [in, out] matrix, for one row.
constexpr double linear_flops(std::int64_t in, std::int64_t out) {
  return 2 * static_cast<double>(in) * static_cast<double>(out);
}

/// Of the head (model/head.hpp) behind a pooling, for one text.
double head_flops(const ModelConfig& model, std::int64_t class_count);

}  // namespace diffuse
