#pragma once

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>

#include <algorithm>
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

/// The gradient of each embedding of a fused model, as a table of all rows; checks the sums of
/// squares.
inline std::vector<at::Tensor> embedding_gradients(Classifier& model) {
  const std::vector<RowGradient> gradients = model.row_gradients();
  std::vector<at::Tensor> tables;
  for (const NamedParameter& parameter : model.parameters()) {
    if (parameter.role != ParameterRole::embedding) continue;
    const RowGradient& rows = gradients.at(tables.size());
    tables.push_back(at::zeros_like(parameter.tensor.detach()));
    double squares = 0;
    for (std::size_t i = 0; i < rows.ids.size(); ++i) {
      float* to = tables.back().mutable_data_ptr<float>() + rows.ids[i] * rows.dim;
      std::copy_n(rows.row(i), rows.dim, to);
      for (std::int64_t c = 0; c < rows.dim; ++c) squares += double{to[c]} * double{to[c]};
    }
    EXPECT_NEAR(rows.square_sum, squares, 1e-5 * squares) << parameter.name;
  }
  EXPECT_EQ(tables.size(), gradients.size());
  return tables;
}

}  // namespace diffuse::testing
