#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/model/layers.hpp"
#include "diffuse/ops/diffusion_spec.hpp"
#include "diffuse/ops/reference/diffusion.hpp"

namespace diffuse {

/// The diffusion operator of a model part of a config, without its parameters.
DiffusionSpec diffusion_spec(const ModelConfig& config);

/// Neighbours that a token reads in each step.
std::int64_t neighbour_count(const ModelConfig& config);

/// The parameters of the T diffusion steps, and the steps in tensor operations.
class DiffusionStack {
 public:
  /// Throws ConfigError as check_model (config/model_rules.hpp) does.
  DiffusionStack(const ModelConfig& config, FreshTensors& tensors);

  /// `initial` `[N, D]`, the rows of a packed batch; `row_offsets` [B + 1], its sequences. Returns
  /// the last state `[N, D]`; without steps `initial` itself.
  at::Tensor forward(const at::Tensor& initial, std::span<const std::int32_t> row_offsets) const;

  /// The trained tensors: one set for each step, or step 0's alone where they are shared.
  void visit(const std::string& prefix, const ParameterVisitor& visitor);
  /// The tensors that are not trained but move with the model.
  void visit_constants(const ParameterVisitor& visitor);
  /// Elements of those.
  std::int64_t constant_count() const;

  const DiffusionSpec& spec() const { return spec_; }
  /// One set for each step, or one for all where they are shared.
  const std::vector<StepTensors>& parameters() const { return parameters_; }

 private:
  DiffusionSpec spec_;
  std::vector<StepTensors> parameters_;
};

}  // namespace diffuse
