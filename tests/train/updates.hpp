#pragma once

#include <ATen/ops/empty.h>

#include <utility>
#include <vector>

#include "../../src/train/updater.hpp"
#include "diffuse/model/model_factory.hpp"

/// Updates of a small network by two texts.
namespace diffuse::testing::updates {

inline constexpr ModelShape kShape{.vocab_size = 16, .class_count = 2, .mask_id = 15};

inline Config small_config() {
  Config config;
  config.model.dim = 8;
  config.model.token_dropout = 0;
  config.model.embedding_dropout = 0;
  config.model.head_dropout = 0;
  config.model.noise_std = 0;
  config.train.label_smoothing = 0;
  config.train.ema_decay = 0.9;
  return config;
}

inline Batch two_texts(std::int32_t first_label, at::Device device = at::kCPU) {
  return make_batch(
      PackedRows(std::vector<std::int32_t>{1, 2, 3, 4, 5}, std::vector<std::int32_t>{0, 3, 5},
                 std::vector<std::int64_t>{first_label, 1}),
      device);
}

struct Outcome {
  UpdateFigures figures;
  std::vector<at::Tensor> weights;
};

/// One update of `classifier`, on the same texts each time.
inline Outcome updated(const Config& config, Precision precision, at::Device device,
                       Classifier& classifier) {
  classifier.to(device);
  Updater updater(config.train, precision, classifier);
  StepClock clock(device, 1);
  clock.begin_update();
  Outcome outcome{updater.apply(
                      1, 2, [&](std::size_t) { return two_texts(0, device); }, 1, 0.01, clock),
                  {}};
  for (const NamedParameter& parameter : classifier.parameters())
    outcome.weights.push_back(parameter.tensor.detach().clone());
  return outcome;
}

/// The same of the same weights.
inline Outcome updated(const Config& config, Precision precision, at::Device device) {
  return updated(config, precision, device, *make_classifier(config, kShape, 1));
}

/// Copies of what `model.safetensors` would hold.
inline std::vector<at::Tensor> model_weights(Updater& updater) {
  std::vector<at::Tensor> weights = updater.model_tensors();
  for (at::Tensor& tensor : weights) {
    if (tensor.defined()) {
      tensor = tensor.clone();
      continue;
    }
    tensor = at::empty({kShape.vocab_size, small_config().model.dim});
    updater.settled_rows().at(0)(0, tensor.size(0), tensor.mutable_data_ptr<float>());
  }
  return weights;
}

}  // namespace diffuse::testing::updates
