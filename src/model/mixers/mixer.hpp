#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>

#include "diffuse/config/config.hpp"
#include "diffuse/model/layers.hpp"
#include "text_grid.hpp"

namespace diffuse {

/// One block of an encoder: reads the packed rows of a batch, x [N, D], and gives the next ones.
class MixerBlock {
 public:
  virtual ~MixerBlock() = default;
  virtual at::Tensor forward(const at::Tensor& x, const TextGrid& grid,
                             const ForwardContext& context) const = 0;
  /// The trained tensors.
  virtual void visit(const std::string& prefix, const ParameterVisitor& visitor) = 0;
  /// Tensors that are not trained but move with the model.
  virtual void visit_constants(const ParameterVisitor& visitor) { (void)visitor; }
};

/// The `index`-th block of a model of `config.model.type`, which is of ModelFamily::mixer.
std::unique_ptr<MixerBlock> make_mixer_block(const Config& config, std::int64_t index,
                                             FreshTensors& tensors);

/// Layer norm over the last dimension: factors of 1 and shifts of 0 at the start.
struct LayerNorm {
  at::Tensor weight;  ///< [D]
  at::Tensor bias;    ///< [D]

  LayerNorm() = default;
  LayerNorm(std::int64_t dim, const FreshTensors& tensors);
  at::Tensor forward(const at::Tensor& x) const;
  void visit(const std::string& prefix, const ParameterVisitor& visitor);
};

}  // namespace diffuse
