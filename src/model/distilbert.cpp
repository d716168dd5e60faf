#include "diffuse/model/distilbert.hpp"

#include <ATen/core/grad_mode.h>
#include <fmt/core.h>

#include <string_view>

#include "diffuse/base/error.hpp"
#include "distilbert_module.hpp"

namespace diffuse {
namespace {

void check(const DistilBertShape& shape) {
  const bool sizes = shape.vocab_size > 0 && shape.dim > 0 && shape.layers >= 0 &&
                     shape.heads > 0 && shape.hidden_dim > 0 && shape.max_positions > 0 &&
                     shape.class_count > 0;
  if (!sizes || shape.dim % shape.heads != 0 || shape.pad_id < 0 ||
      shape.pad_id >= shape.vocab_size) {
    throw Error(fmt::format(
        "A DistilBERT of {} tokens, width {} in {} heads, {} layers of {}, {} positions, {} "
        "classes and padding token {}: expected positive sizes, a width that the heads divide and "
        "a padding token among the tokens.",
        shape.vocab_size, shape.dim, shape.heads, shape.layers, shape.hidden_dim,
        shape.max_positions, shape.class_count, shape.pad_id));
  }
  const auto is_probability = [](double value) { return value >= 0.0 && value < 1.0; };
  if (!is_probability(shape.dropout) || !is_probability(shape.attention_dropout) ||
      !is_probability(shape.classifier_dropout) || !(shape.initializer_range >= 0.0)) {
    throw Error(fmt::format(
        "A DistilBERT with dropout {}, {} and {} and initial values of spread {}: expected "
        "probabilities from 0 to less than 1 and a spread of at least 0.",
        shape.dropout, shape.attention_dropout, shape.classifier_dropout, shape.initializer_range));
  }
}

}  // namespace

std::unique_ptr<TorchScriptClassifier> make_distilbert(const DistilBertShape& shape,
                                                       std::int64_t seed) {
  FreshTensors tensors(seed);
  return make_distilbert(shape, tensors);
}

std::unique_ptr<TorchScriptClassifier> make_distilbert(const DistilBertShape& shape,
                                                       FreshTensors& tensors) {
  check(shape);
  auto classifier = std::make_unique<TorchScriptClassifier>(
      build_distilbert(shape, tensors.device()),
      TorchScriptShape{shape.class_count, shape.pad_id, shape.max_positions});
  if (!tensors.draws()) return classifier;
  const at::NoGradGuard no_grad;
  for (const NamedParameter& parameter : classifier->parameters()) {
    at::Tensor tensor = parameter.tensor;
    if (parameter.role != ParameterRole::vector) {
      tensor.normal_(0.0, shape.initializer_range, tensors.generator());
    } else {
      // Of the vectors all but the factors of the layer norms are biases.
      tensor.fill_(parameter.name.ends_with(".weight") ? 1.0 : 0.0);
    }
    if (parameter.name == "distilbert.embeddings.word_embeddings.weight") {
      tensor.select(0, shape.pad_id).zero_();
    }
  }
  return classifier;
}

}  // namespace diffuse
