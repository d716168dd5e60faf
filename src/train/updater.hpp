#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/model/classifier.hpp"
#include "diffuse/train/adamw.hpp"
#include "diffuse/train/time_split.hpp"
#include "diffuse/train/weight_average.hpp"
#include "running_figures.hpp"

namespace diffuse {

/// Changes a classifier's weights batch by batch, and owns all tensors that this needs: moments,
/// the average, the stream of random numbers.
class Updater {
 public:
  /// The classifier must be on its device already and outlive the updater.
  Updater(const TrainConfig& config, Classifier& classifier);

  /// Forward, backward and the optimizer's step on `batch`. `update` is the update's 1-based
  /// number. Enters the phases from `forward` on at `clock`. Waits for nothing.
  UpdateFigures apply(const Batch& batch, std::int64_t update, double learning_rate,
                      StepClock& clock);

  /// The averaged weights, null where there is no average.
  WeightAverage* average() { return average_ ? &*average_ : nullptr; }

  /// What `model.safetensors` holds: the averages where there are any, else the weights.
  std::vector<at::Tensor> model_tensors() const;
  /// What `optimizer.safetensors` holds: the optimizer's state, the weights as `raw.<name>` beside
  /// averages, and `generator`, the state of the random numbers (u8).
  std::vector<std::pair<std::string, at::Tensor>> training_tensors() const;

 private:
  const TrainConfig& config_;
  Classifier& classifier_;
  std::vector<NamedParameter> parameters_;
  AdamW optimizer_;
  at::Generator generator_;
  std::optional<WeightAverage> average_;
};

}  // namespace diffuse
