#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "diffuse/model/classifier.hpp"
#include "diffuse/model/fresh_tensors.hpp"
#include "diffuse/model/layers.hpp"
#include "diffuse/model/model_factory.hpp"
#include "model/mixers/attention_block.hpp"
#include "model/mixers/mixer.hpp"

namespace diffuse {

/// BERT for sequence classification (Devlin et al. 2019, arXiv:1810.04805): what transformers'
/// BertForSequenceClassification computes, its parameters under the same names and initialised as
/// there. A text alone has token type 0. With `mean_pooling` the classifier reads the mean of the
/// text's tokens and there is no pooler. Products and norms work on packed rows, attention as
/// SoftmaxAttention does.
class BertClassifier final : public Classifier {
 public:
  /// Throws Error where the sizes are impossible.
  BertClassifier(const BertFamilyConfig& config, const ModelShape& shape, FreshTensors& tensors);

  /// Throws UserError where a text is longer than max_positions.
  at::Tensor forward(const Batch& batch, const ForwardContext& context) override;
  std::vector<NamedParameter> parameters() const override;
  /// Moves every tensor. What parameters() gave before no longer belongs to the model.
  void to(at::Device device) override;
  at::Device device() const override;

 private:
  struct Layer {
    Linear query, key, value, seen;
    LayerNorm seen_norm;
    Linear in, out;
    LayerNorm out_norm;
  };
  struct Parameter {
    std::string name;
    at::Tensor* tensor;
    ParameterRole role;
  };
  void register_parameters();
  at::Tensor norm(const LayerNorm& layer, const at::Tensor& x) const;
  at::Tensor layer(const Layer& own, const at::Tensor& x, const TextGrid& grid,
                   const ForwardContext& context) const;
  at::Tensor pooled(const at::Tensor& x, const Batch& batch) const;

  BertFamilyConfig config_;
  at::Tensor words_;      // [V, D]
  at::Tensor positions_;  // [max_positions, D]
  at::Tensor types_;      // [token_types, D]
  LayerNorm embedding_norm_;
  std::vector<Layer> layers_;
  Linear pooler_;  // undefined with mean_pooling
  Linear classifier_;
  std::vector<Parameter> parameters_;
};

}  // namespace diffuse
