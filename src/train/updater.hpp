#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/model/classifier.hpp"
#include "diffuse/train/adamw.hpp"
#include "diffuse/train/gradient_scaler.hpp"
#include "diffuse/train/time_split.hpp"
#include "diffuse/train/weight_average.hpp"
#include "running_figures.hpp"

namespace diffuse {

/// Changes a classifier's weights batch by batch, and owns all tensors that this needs: moments,
/// the average, the stream of random numbers.
class Updater {
 public:
  /// The classifier must be on its device already and outlive the updater.
  Updater(const TrainConfig& config, Precision precision, Classifier& classifier);

  /// One update by `batch_count` batches of `examples` examples in all, which `batch_at` gives one
  /// after the other: forward and backward on each, and one step of the optimizer, as if they were
  /// one batch. `update` is the update's 1-based number. Enters the phases at `clock`. Waits for
  /// the device with fp16 alone.
  UpdateFigures apply(std::size_t batch_count, std::int64_t examples,
                      const std::function<Batch(std::size_t)>& batch_at, std::int64_t update,
                      double learning_rate, StepClock& clock);

  /// The averaged weights, null where there is no average.
  WeightAverage* average() { return average_ ? &*average_ : nullptr; }

  /// What `model.safetensors` holds: the averages where there are any, else the weights.
  std::vector<at::Tensor> model_tensors() const;
  /// What `optimizer.safetensors` holds: the optimizer's state, the weights as `raw.<name>` beside
  /// averages, with fp16 the scaler's state, and `generator`, the state of the random numbers (u8).
  std::vector<std::pair<std::string, at::Tensor>> training_tensors() const;
  /// Takes up the weights and all the state of the checkpoint `folder`. Random numbers and a loss
  /// scale of another kind of device or precision are left out with a warning: such a run goes on,
  /// but not to the bit. Throws CheckpointError listing what does not fit.
  void restore(const std::filesystem::path& folder);

 private:
  const TrainConfig& config_;
  Classifier& classifier_;
  std::vector<NamedParameter> parameters_;
  AdamW optimizer_;
  at::Generator generator_;
  std::optional<WeightAverage> average_;
  Precision precision_;
  std::optional<GradientScaler> scaler_;  // fp16 only
};

}  // namespace diffuse
