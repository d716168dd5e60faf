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
#include "diffuse/model/checkpoint.hpp"
#include "diffuse/model/classifier.hpp"
#include "diffuse/model/recorded_batches.hpp"
#include "diffuse/train/adamw.hpp"
#include "diffuse/train/gradient_clip.hpp"
#include "diffuse/train/gradient_scaler.hpp"
#include "diffuse/train/row_adamw.hpp"
#include "diffuse/train/time_split.hpp"
#include "diffuse/train/weight_average.hpp"
#include "running_figures.hpp"
#include "touched_rows.hpp"

namespace diffuse {

/// How large an update is.
struct UpdateSize {
  UpdateSize(std::int64_t rows) : UpdateSize(rows, static_cast<double>(rows)) {}  // NOLINT
  UpdateSize(std::int64_t rows, double total_weight) : examples(rows), weight(total_weight) {}

  std::int64_t examples;
  double weight;  ///< of all examples together; their number where they have none of their own
};

/// Of what an updater draws.
std::uint64_t training_seed(const TrainConfig& config);

/// Changes a classifier's weights batch by batch, and owns all tensors that this needs: moments,
/// the average, the stream of random numbers.
class Updater {
 public:
  /// The classifier must be on its device already and outlive the updater.
  Updater(const TrainConfig& config, Precision precision, Classifier& classifier);
  /// The same with another way to record (null: none) in place of the one that works on the device.
  Updater(const TrainConfig& config, Precision precision, Classifier& classifier,
          const std::optional<Record>& record);
  // Not movable: what is recorded points into the object.
  Updater(const Updater&) = delete;
  Updater& operator=(const Updater&) = delete;

  /// One update by `batch_count` batches of `size` in all, which `batch_at` gives one after the
  /// other: forward and backward on each, and one step of the optimizer, as if they were one batch,
  /// whose loss is the mean of its examples' weighted by their weights. The batches may be on the
  /// CPU still. `update` is the update's 1-based number. Enters the phases at `clock`. Waits for
  /// the device with fp16 alone. Where the classifier can be recorded, an update of one batch is
  /// (RecordedBatches), and its figures last until the next update.
  UpdateFigures apply(std::size_t batch_count, const UpdateSize& size,
                      const std::function<Batch(std::size_t)>& batch_at, std::int64_t update,
                      double learning_rate, StepClock& clock);

  /// Puts the averaged weights, where there are any, into the model for the time of the scope;
  /// rows of the embeddings as its settle() is told.
  AveragedWeightsScope use_averages() {
    settle();
    return AveragedWeightsScope(average_ ? &*average_ : nullptr, tables_);
  }

  /// Brings every row of the embeddings to the last update, for those who read the model itself.
  void settle() {
    if (rows_) rows_->settle();
  }
  /// What `model.safetensors` holds: the averages where there are any, else the weights. Undefined
  /// for the embeddings where their touched rows alone are updated: settled_rows() make them.
  std::vector<at::Tensor> model_tensors();
  std::vector<RowSource> settled_rows() const;
  /// What `optimizer.safetensors` holds: the optimizers' state, the weights as `raw.<name>` beside
  /// averages, with fp16 the scaler's state, and `generator`, the state of the random numbers (u8).
  std::vector<std::pair<std::string, at::Tensor>> training_tensors();
  /// Takes up the weights and all the state of the checkpoint `folder`, which is that of update
  /// `update`. One without the last updates of the embeddings' rows goes on with dense updates.
  /// Random numbers and a loss scale of another kind of device or precision are left out with a
  /// warning: such a run goes on, but not to the bit. Throws CheckpointError listing what does not
  /// fit.
  void restore(const std::filesystem::path& folder, std::int64_t update);

 private:
  struct Pass {
    at::Tensor loss;
    at::Tensor correct;
    at::Tensor gradient_norm{};  // of a whole update alone
  };
  Pass pass(const Batch& batch, double total_weight, double loss_scale, std::uint32_t index,
            std::int64_t update, EmbeddingAccess& embeddings, StepClock& clock);
  /// Of logits [B, C]: the loss, and how many texts are right.
  using LossOf = std::function<Pass(const at::Tensor& logits)>;
  using EnterPhase = std::function<void(StepClock::Phase)>;
  Pass pass_by_autograd(const Batch& batch, ForwardContext context, const LossOf& loss_of,
                        EmbeddingAccess& embeddings, const EnterPhase& enter);
  at::Tensor adversarial_step(const Batch& batch, const EmbeddingAccess& embeddings) const;
  Pass update_by(const StagedBatch& staged, const Batch& batch);
  UpdateFigures apply_recorded(const Batch& batch, const UpdateSize& size, std::int64_t update,
                               double learning_rate, StepClock& clock);
  GradientClip measure_all(const std::vector<at::Tensor>& more, double squares) const;
  void average(std::int64_t update);
  void share_parameters();
  void make_dense();
  std::vector<at::Tensor> embeddings() const;
  /// Whether `parameter` is one of `tables_`.
  bool is_touched(const NamedParameter& parameter) const {
    return touched_ && parameter.role == ParameterRole::embedding;
  }
  /// training_tensors() without those of `tables_`.
  std::vector<std::pair<std::string, at::Tensor>> other_tensors() const;
  const TrainConfig& config_;
  Classifier& classifier_;
  std::vector<NamedParameter> parameters_;
  AdamWOptions options_;
  bool touched_;                     // by tables_
  std::int64_t dense_elements_ = 0;  // of the parameters that the optimizer has
  std::vector<RowAdamW> tables_;     // of the embeddings, where the fused kernel gives their rows
  std::optional<AdamW> optimizer_;   // of the other parameters
  std::optional<TouchedRows> rows_;  // of the embeddings in it, where operations tell their rows
  at::Generator generator_;
  std::optional<WeightAverage> average_;
  Precision precision_;
  std::optional<GradientScaler> scaler_;           // fp16 only
  std::optional<RecordedBatches<Pass>> recorded_;  // where updates can be
};

}  // namespace diffuse
