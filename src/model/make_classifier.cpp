#include <fmt/format.h>
#include <fmt/ranges.h>

#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/model/diffusion_classifier.hpp"
#include "diffuse/model/distilbert.hpp"
#include "diffuse/model/model_factory.hpp"
#include "distilbert_config.hpp"
#include "no_network.hpp"

namespace diffuse {

DistilBertShape distilbert_shape(const DistilBertConfig& config, const ModelShape& shape) {
  return {.vocab_size = shape.vocab_size,
          .dim = config.dim,
          .layers = config.layers,
          .heads = config.heads,
          .hidden_dim = config.hidden_dim,
          .max_positions = config.max_positions,
          .class_count = shape.class_count,
          .dropout = config.dropout,
          .attention_dropout = config.attention_dropout,
          .classifier_dropout = config.classifier_dropout,
          .initializer_range = config.init_std,
          .pad_id = shape.pad_id};
}

void take_pretrained_sizes(Config& config) {
  if (config.model.type != ModelType::distilbert || config.distilbert.pretrained.empty()) return;
  const DistilBertShape found = read_distilbert_config(config.distilbert.pretrained);
  DistilBertConfig& own = config.distilbert;
  own.dim = found.dim;
  own.layers = found.layers;
  own.heads = found.heads;
  own.hidden_dim = found.hidden_dim;
  own.max_positions = found.max_positions;
  own.init_std = found.initializer_range;
  own.dropout = found.dropout;
  own.attention_dropout = found.attention_dropout;
  own.classifier_dropout = found.classifier_dropout;
}

void load_pretrained_weights(Classifier& classifier, const Config& config) {
  if (config.model.type != ModelType::distilbert || config.distilbert.pretrained.empty()) return;
  auto& distilbert = dynamic_cast<TorchScriptClassifier&>(classifier);
  const PretrainedReport report = load_pretrained(distilbert, config.distilbert.pretrained);
  log::info("{}: {} tensors loaded", config.distilbert.pretrained, report.loaded);
  if (!report.missing.empty())
    log::info("freshly initialised: {}", fmt::join(report.missing, ", "));
  if (!report.unexpected.empty()) log::info("not used: {}", fmt::join(report.unexpected, ", "));
}

std::unique_ptr<Classifier> make_classifier(const Config& config, const ModelShape& shape,
                                            std::optional<std::int64_t> seed) {
  switch (config.model.type) {
    case ModelType::diffusion:
      if (config.model.dim == 0) return std::make_unique<NoNetwork>(shape.class_count);
      return std::make_unique<DiffusionClassifier>(config.model, shape, seed);
    case ModelType::distilbert:
      return make_distilbert(distilbert_shape(config.distilbert, shape), seed.value_or(0));
    case ModelType::torchscript:
      return load_torchscript(config.model.file, shape.class_count, shape.pad_id);
  }
  throw Error("make_classifier: not a model type");
}

}  // namespace diffuse
