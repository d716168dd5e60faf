#include "bert_classifier.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/add.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/tanh.h>
#include <fmt/core.h>

#include "diffuse/base/error.hpp"
#include "diffuse/ops/reference/diffusion.hpp"
#include "diffuse/ops/reference/segment_pool.hpp"
#include "model/default_generator.hpp"

namespace diffuse {
namespace {

const BertFamilyConfig& checked_sizes(const BertFamilyConfig& config, const ModelShape& shape) {
  if (shape.vocab_size > 0 && shape.class_count > 0 && shape.pad_id >= 0 &&
      shape.pad_id < shape.vocab_size && config.dim % config.heads == 0)
    return config;
  throw Error(fmt::format(
      "A BERT of {} tokens, width {} in {} heads, {} classes and padding token {}: expected "
      "positive sizes, a width that the heads divide and a padding token among the tokens.",
      shape.vocab_size, config.dim, config.heads, shape.class_count, shape.pad_id));
}

/// N(0, deviation²) and a bias of 0, as transformers starts.
Linear linear(std::int64_t in, std::int64_t out, double deviation, FreshTensors& tensors) {
  Linear made;
  made.weight = tensors.normal({out, in}, deviation);
  made.bias = tensors.full({out}, 0.0);
  return made;
}

}  // namespace

BertClassifier::BertClassifier(const BertFamilyConfig& config, const ModelShape& shape,
                               FreshTensors& tensors)
    : config_(checked_sizes(config, shape)),
      words_(tensors.normal({shape.vocab_size, config.dim}, config.init_std)) {
  const double deviation = config.init_std;
  const std::int64_t dim = config.dim;
  if (tensors.draws()) words_.select(0, shape.pad_id).zero_();
  positions_ = tensors.normal({config.max_positions, dim}, deviation);
  types_ = tensors.normal({config.token_types, dim}, deviation);
  embedding_norm_ = LayerNorm(dim, tensors);
  for (std::int64_t i = 0; i < config.layers; ++i) {
    Layer own;
    for (Linear* const part : {&own.query, &own.key, &own.value, &own.seen})
      *part = linear(dim, dim, deviation, tensors);
    own.seen_norm = LayerNorm(dim, tensors);
    own.in = linear(dim, config.hidden_dim, deviation, tensors);
    own.out = linear(config.hidden_dim, dim, deviation, tensors);
    own.out_norm = LayerNorm(dim, tensors);
    layers_.push_back(std::move(own));
  }
  if (!config.mean_pooling) pooler_ = linear(dim, dim, deviation, tensors);
  classifier_ = linear(dim, shape.class_count, deviation, tensors);
  register_parameters();
}

void BertClassifier::register_parameters() {
  const ParameterVisitor add = [this](const std::string& name, at::Tensor& tensor,
                                      ParameterRole role) {
    tensor.set_requires_grad(true);
    parameters_.push_back({name, &tensor, role});
  };
  add("bert.embeddings.word_embeddings.weight", words_, ParameterRole::embedding);
  add("bert.embeddings.position_embeddings.weight", positions_, ParameterRole::embedding);
  add("bert.embeddings.token_type_embeddings.weight", types_, ParameterRole::embedding);
  embedding_norm_.visit("bert.embeddings.LayerNorm", add);
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    Layer& own = layers_[i];
    const std::string name = fmt::format("bert.encoder.layer.{}.", i);
    own.query.visit(name + "attention.self.query", add);
    own.key.visit(name + "attention.self.key", add);
    own.value.visit(name + "attention.self.value", add);
    own.seen.visit(name + "attention.output.dense", add);
    own.seen_norm.visit(name + "attention.output.LayerNorm", add);
    own.in.visit(name + "intermediate.dense", add);
    own.out.visit(name + "output.dense", add);
    own.out_norm.visit(name + "output.LayerNorm", add);
  }
  if (!config_.mean_pooling) pooler_.visit("bert.pooler.dense", add);
  classifier_.visit("classifier", add);
}

at::Tensor BertClassifier::norm(const LayerNorm& layer, const at::Tensor& x) const {
  return at::layer_norm(x, layer.weight.sizes(), layer.weight, layer.bias, config_.norm_eps);
}

at::Tensor BertClassifier::layer(const Layer& own, const at::Tensor& x, const TextGrid& grid,
                                 const ForwardContext& context) const {
  const std::int64_t heads = config_.heads;
  const auto split = [&](const Linear& part) {
    return part.forward(x).view({x.size(0), heads, config_.dim / heads});
  };
  const double attention_dropout = context.training ? config_.attention_dropout : 0.0;
  at::Tensor seen;
  {
    const DefaultGeneratorFrom random(attention_dropout > 0 ? context.generator : at::Generator(),
                                      x.device());
    seen = softmax_attention(split(own.query), split(own.key), split(own.value), grid,
                             attention_dropout);
  }
  seen = own.seen.forward(seen.reshape({x.size(0), config_.dim}));
  const at::Tensor mixed = norm(own.seen_norm, at::add(dropout(seen, config_.dropout, context), x));
  const at::Tensor hidden = own.out.forward(activate(own.in.forward(mixed), Activation::gelu));
  return norm(own.out_norm, at::add(dropout(hidden, config_.dropout, context), mixed));
}

at::Tensor BertClassifier::pooled(const at::Tensor& x, const Batch& batch) const {
  if (config_.mean_pooling) {
    const Segments segments(batch.host_offsets, x.options().requires_grad(false));
    return segment_pool(x, segments, Pooling::mean);
  }
  const at::Tensor firsts = batch.offsets.slice(0, 0, batch.size());
  return at::tanh(pooler_.forward(at::index_select(x, 0, firsts)));
}

at::Tensor BertClassifier::forward(const Batch& batch, const ForwardContext& context) {
  check_offsets(batch);
  const TextGrid grid(batch);
  if (grid.longest() > config_.max_positions)
    throw UserError(
        fmt::format("A text has {} tokens, the model takes {} at most; set tokenizer.max_tokens to "
                    "{} or less.",
                    grid.longest(), config_.max_positions, config_.max_positions));
  at::Tensor x = at::add(at::embedding(words_, batch.tokens), types_.select(0, 0));
  x = norm(embedding_norm_, at::add(x, at::embedding(positions_, grid.positions())));
  x = dropout(x, config_.dropout, context);
  for (const Layer& own : layers_) x = layer(own, x, grid, context);
  const at::Tensor read = dropout(pooled(x, batch), config_.classifier_dropout, context);
  return classifier_.forward(read).to(at::kFloat);
}

std::vector<NamedParameter> BertClassifier::parameters() const {
  std::vector<NamedParameter> parameters;
  for (const Parameter& parameter : parameters_)
    parameters.push_back({parameter.name, *parameter.tensor, parameter.role});
  return parameters;
}

void BertClassifier::to(at::Device device) {
  for (const Parameter& parameter : parameters_)
    *parameter.tensor = parameter.tensor->detach().to(device).set_requires_grad(true);
}

at::Device BertClassifier::device() const { return words_.device(); }

}  // namespace diffuse
