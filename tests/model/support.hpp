#pragma once

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "diffuse/base/safetensors.hpp"
#include "diffuse/config/config.hpp"
#include "diffuse/model/diffusion_classifier.hpp"

namespace diffuse::testing {

using Sequences = std::vector<std::vector<std::int32_t>>;

inline Batch batch_of(const Sequences& sequences) {
  std::vector<std::int32_t> tokens;
  std::vector<std::int32_t> offsets = {0};
  std::vector<std::int64_t> labels;
  for (const std::vector<std::int32_t>& sequence : sequences) {
    tokens.insert(tokens.end(), sequence.begin(), sequence.end());
    offsets.push_back(static_cast<std::int32_t>(tokens.size()));
    labels.push_back(static_cast<std::int64_t>(labels.size() % 3));
  }
  return make_batch(PackedRows(tokens, offsets, labels), at::kCPU);
}

/// The batch that a file of reference numbers has as `input.tokens`, `.offsets` and `.labels`.
inline Batch batch_in(const SafetensorsFile& file) {
  const auto read = [&file](const std::string& name, auto values) {
    const TensorView& view = file.tensors().at(name);
    values.resize(view.bytes.size() / sizeof(values[0]));
    std::memcpy(values.data(), view.bytes.data(), view.bytes.size());
    return values;
  };
  return make_batch(PackedRows(read("input.tokens", std::vector<std::int32_t>()),
                               read("input.offsets", std::vector<std::int32_t>()),
                               read("input.labels", std::vector<std::int64_t>())),
                    at::kCPU);
}

/// The same batch on `device`.
inline Batch batch_on(Batch batch, at::Device device) {
  for (at::Tensor* tensor : {&batch.tokens, &batch.offsets, &batch.labels})
    *tensor = tensor->to(device);
  return batch;
}

/// A small model's config: no randomness in the forward pass but what a test adds, and an
/// embedding large enough for every part to matter.
inline ModelConfig small_config() {
  ModelConfig config;
  config.dim = 6;
  config.embedding_init_std = 1.0;
  config.token_dropout = config.embedding_dropout = config.head_dropout = 0.0;
  return config;
}

inline constexpr ModelShape kShape{20, 3, 2};

inline ForwardContext training_context(std::uint64_t seed) {
  return {true, at::detail::createCPUGenerator(seed)};
}

inline at::Tensor evaluate(Classifier& model, const Sequences& sequences) {
  const at::NoGradGuard no_grad;
  return model.forward(batch_of(sequences), {});
}

inline at::Tensor parameter(const Classifier& model, const std::string& name) {
  for (const NamedParameter& p : model.parameters()) {
    if (p.name == name) return p.tensor;
  }
  return {};
}

}  // namespace diffuse::testing
