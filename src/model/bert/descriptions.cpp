#include <fmt/core.h>

#include "bert_classifier.hpp"
#include "bert_family.hpp"
#include "diffuse/model/distilbert.hpp"
#include "model/model_descriptions.hpp"

namespace diffuse {
namespace {

DistilBertShape shape_of(const BertFamilyConfig& config, const ModelShape& shape) {
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

class DistilBertDescription final : public BertFamilyDescription {
 public:
  std::string_view title() const override { return "DistilBERT"; }

  std::string summary(const Config& config) const override {
    return fmt::format("transformer (TorchScript), {}", sizes_text(config.distilbert));
  }

  std::unique_ptr<Classifier> make(const Config& config, const ModelShape& shape,
                                   FreshTensors& tensors) const override {
    return make_distilbert(shape_of(config.distilbert, shape), tensors);
  }

  std::string kernel_name(const Config&, Kernel, at::Device, Precision) const override {
    return "TorchScript";
  }

 private:
  ModelType type() const override { return ModelType::distilbert; }
  BertFamilyConfig& section(Config& config) const override { return config.distilbert; }
};

class BertDescription final : public BertFamilyDescription {
 public:
  std::string_view title() const override { return "BERT"; }

  std::string summary(const Config& config) const override {
    return fmt::format("transformer, {}", sizes_text(config.bert));
  }

  std::unique_ptr<Classifier> make(const Config& config, const ModelShape& shape,
                                   FreshTensors& tensors) const override {
    return std::make_unique<BertClassifier>(config.bert, shape, tensors);
  }

  std::string kernel_name(const Config& config, Kernel, at::Device device,
                          Precision precision) const override {
    return attention_kernel_name(device, precision, config.bert.dim / config.bert.heads);
  }

 private:
  ModelType type() const override { return ModelType::bert; }
  BertFamilyConfig& section(Config& config) const override { return config.bert; }
};

}  // namespace

const ModelDescription& bert_family_description(ModelType type) {
  static const DistilBertDescription distilbert;
  static const BertDescription bert;
  if (type == ModelType::bert) return bert;
  return distilbert;
}

}  // namespace diffuse
