// The families of models, and what is the same for all of them.

#include "diffuse/model/model_description.hpp"

#include "diffuse/base/error.hpp"
#include "diffuse/model/model_factory.hpp"
#include "model_descriptions.hpp"
#include "piecewise_classifier.hpp"

namespace diffuse {
namespace {

std::unique_ptr<Classifier> make(const Config& config, ModelShape shape, FreshTensors& tensors) {
  shape.numbers = config.tokenizer.type == TokenizerType::values;
  std::unique_ptr<Classifier> classifier = description_of(config).make(config, shape, tensors);
  if (const PieceRule rule = piece_rule(config.tokenizer); rule.most_tokens > 0)
    return std::make_unique<PiecewiseClassifier>(std::move(classifier), rule);
  return classifier;
}

std::unique_ptr<Classifier> without_memory(const Config& config, const ModelShape& shape) {
  FreshTensors sizes = FreshTensors::sizes_only();
  return make(config, shape, sizes);
}

}  // namespace

const ModelDescription& description_of(ModelType type) {
  switch (family_of(type)) {
    case ModelFamily::diffusion:
      return diffusion_description();
    case ModelFamily::bert:
      return bert_family_description(type);
    case ModelFamily::mixer:
      return mixer_description(type);
    case ModelFamily::torchscript:
      return torchscript_description();
  }
  throw Error("description_of: not a model type");
}

const ModelDescription& description_of(const Config& config) {
  return description_of(config.model.type);
}

std::unique_ptr<Classifier> make_classifier(const Config& config, const ModelShape& shape,
                                            std::optional<std::int64_t> seed) {
  FreshTensors tensors(seed);
  return make(config, shape, tensors);
}

std::optional<std::int64_t> count_parameters(const Config& config, const ModelShape& shape) {
  if (!description_of(config).is_countable()) return std::nullopt;
  return parameter_count(*without_memory(config, shape));
}

std::int64_t count_constants(const Config& config) {
  if (!description_of(config).is_countable()) return 0;
  return without_memory(config, {.vocab_size = 1, .class_count = 1})->constant_count();
}

void take_pretrained_sizes(Config& config) {
  const ModelDescription& model = description_of(config);
  if (!model.pretrained(config).empty()) model.take_pretrained_sizes(config);
}

void load_pretrained_weights(Classifier& classifier, const Config& config) {
  const ModelDescription& model = description_of(config);
  if (!model.pretrained(config).empty()) model.load_pretrained(classifier, config);
}

std::int64_t product_width(const Config& config) {
  return description_of(config).product_width(config);
}

std::optional<double> forward_flops(const Config& config, std::int64_t class_count,
                                    std::span<const std::int64_t> lengths) {
  return description_of(config).forward_flops(config, class_count, lengths);
}

double head_flops(const ModelConfig& model, std::int64_t class_count) {
  const std::int64_t in = model.pooling == Pooling::mean_max ? 2 * model.dim : model.dim;
  if (model.head_hidden_dim == 0) return linear_flops(in, class_count);
  const std::int64_t hidden = model.head_hidden_dim > 0 ? model.head_hidden_dim : model.dim;
  return linear_flops(in, hidden) + linear_flops(hidden, class_count);
}

}  // namespace diffuse
