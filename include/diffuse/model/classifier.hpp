#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "diffuse/base/worker_pool.hpp"
#include "diffuse/config/config.hpp"
#include "diffuse/data/packed_rows.hpp"
#include "diffuse/ops/counter_random.hpp"
#include "diffuse/ops/dispatched/row_adamw.hpp"

namespace diffuse {

/// A packed batch on one device. Sequence b is rows offsets[b] .. offsets[b + 1] - 1.
struct Batch {
  at::Tensor tokens;           ///< int32 [N]
  at::Tensor offsets;          ///< int32 [B + 1], on the host as well as needed: see host_offsets
  at::Tensor labels;           ///< int64 [B]
  at::Tensor weights{};        ///< float32 [B] of the loss; undefined: all 1
  at::Tensor distributions{};  ///< float32 [B, C], the targets; undefined: the labels, smoothed
  bool several = false;        ///< `distributions` are targets of each class by itself
  /// Rows behind the last text are of none: they fill up a batch to the shape of others. `offsets`
  /// then has their end, too: [B + 2]. For the operations of ours alone.
  bool filled_up = false;
  std::span<const std::int32_t> host_offsets{};  ///< the same offsets on the host
  std::shared_ptr<const PackedRows> host{};      ///< owns them

  std::int64_t size() const { return static_cast<std::int64_t>(host_offsets.size()) - 1; }
  std::int64_t token_count() const { return tokens.size(0); }
};

/// Brings packed rows to `device`: on the CPU they are used where they stand, elsewhere copied
/// once.
Batch make_batch(std::shared_ptr<const PackedRows> rows, at::Device device);
Batch make_batch(PackedRows rows, at::Device device);

/// Throws Error where the batch's offsets do not cut its tokens into non-empty sequences.
void check_offsets(const Batch& batch);

/// The rows of a table that a batch has read.
struct ReadRows {
  SortedIds ids;
  double scale = 1;  ///< of each row in the sum
};

/// The sum of a batch's embeddings, before noise and dropout, for whoever asks a forward pass for
/// it, and what is added to it there.
struct EmbeddingAccess {
  at::Tensor step{};  ///< [N, D]; undefined: nothing is added
  at::Tensor sum{};   ///< [N, D], keeps its gradient; set by the pass of a diffusion model
  bool noise = true;  ///< false: none is added, whatever the model says of its evaluation
  /// Where it is not empty, kernel `operations` calls it before it reads rows of an embedding, by
  /// its number among the parameters of that role, and adds to `read`; the embeddings then get no
  /// gradient: it is that of `sum`, for all passes with this access.
  std::function<void(std::size_t embedding, const SortedIds& ids)> before_rows{};
  std::vector<ReadRows> read{};
};

/// What a forward pass needs besides its input.
struct ForwardContext {
  bool training = false;
  /// Source of noise and dropout. Must be defined, and on the batch's device, when `training`, or
  /// when the model adds noise at evaluation.
  at::Generator generator{};
  /// Where the batch stands among all that random numbers are drawn for; for `training` with
  /// kernels that draw by place.
  RandomPlace place{};
  /// The same in the memory of the batch's device (ops/dispatched/initial_state.hpp); undefined:
  /// `place` is told to it.
  at::Tensor device_place{};
  /// Null: nobody asks.
  EmbeddingAccess* embeddings = nullptr;
};

/// The gradient of a table of rows, of the rows alone that a batch reads.
struct RowGradient {
  std::span<const std::int32_t> ids;        ///< distinct rows of the table, in order of appearance
  std::span<const std::int32_t> positions;  ///< of each one's gradient among `rows`
  float* rows = nullptr;                    ///< [N, D]
  std::int64_t dim = 0;                     ///< D
  double square_sum = 0;                    ///< of all elements of the gradient
  WorkerPool* workers = nullptr;            ///< for whoever works on the rows

  float* row(std::size_t index) const { return rows + positions[index] * dim; }
};

/// How a training pass is made.
struct PassOptions {
  double label_smoothing = 0;
  double weight = 1;       ///< of a text's loss in loss and gradients, beside its own
  double adversarial = 0;  ///< size of the adversarial step (ops/adversarial.hpp); 0: none
  double loss_scale = 1;   ///< of the gradients alone, for float16
  /// Called before the rows of the embeddings are read, for each by its number among the parameters
  /// of that role, with those rows that no pass since the last row_gradients had; may be empty.
  std::function<void(std::size_t embedding, std::span<const std::int32_t> ids, WorkerPool& workers)>
      before_rows{};
};

/// What a training pass over a batch found.
struct PassFigures {
  double loss = 0;           ///< summed over texts, times their own weights and the pass's
  std::int64_t correct = 0;  ///< texts whose largest logit is the label's
  /// Both as scalars on the classifier's device, in the numbers' place: where these would have to
  /// be waited for.
  at::Tensor device_loss{};
  at::Tensor device_correct{};
};

/// What a parameter is for: decides weight decay and clipping.
enum class ParameterRole { embedding, matrix, vector };

struct NamedParameter {
  std::string name;  ///< dotted, as in `model.safetensors`
  at::Tensor tensor;
  ParameterRole role;
};

/// Whether it is the table of pairs of words (model.bigram_buckets) of an embedding.
bool is_pairs(const NamedParameter& parameter);

/// A text classifier as the trainer and the evaluator see it.
class Classifier {
 public:
  virtual ~Classifier() = default;
  /// Logits, float32 [B, C].
  virtual at::Tensor forward(const Batch& batch, const ForwardContext& context) = 0;
  /// The classifier that computes, where this one only hands it texts in pieces.
  virtual const Classifier& whole_text_classifier() const { return *this; }
  /// The trained tensors, in a fixed order. Copies share storage with the model.
  virtual std::vector<NamedParameter> parameters() const = 0;
  virtual void to(at::Device device) = 0;
  virtual at::Device device() const = 0;
  /// Takes up `kernel` for all that follows, in `precision` (resolved), on the present device.
  /// Throws ConfigError where one is asked for by name that cannot run the model.
  virtual void use_kernel(Kernel kernel, Precision precision);
  /// Which one runs, never automatic.
  virtual Kernel kernel() const { return Kernel::reference; }
  /// Whether forward() in training waits for the device nowhere and depends on the batch's tensors
  /// and `device_place` alone, so that it can be recorded; and may get batches that are filled up.
  virtual bool is_recordable() const { return false; }
  /// Whether train_pass is that of the fused kernel, with row_gradients.
  bool is_fused() const { return kernel() == Kernel::fused; }
  /// Forward, loss and backward of `batch` without autograd: adds the gradients to those of the
  /// parameters, but keeps those of the embeddings, which row_gradients has. With an adversarial
  /// step a second time, with the embeddings moved by it: its gradients are added, its figures are
  /// not. Nothing where the model has no such kernel.
  virtual std::optional<PassFigures> train_pass(const Batch& batch, const ForwardContext& context,
                                                const PassOptions& options) {
    (void)batch, (void)context, (void)options;
    return std::nullopt;
  }
  /// The embeddings' gradients of the train_pass calls since they were last asked for, in the order
  /// of parameters(). They last until the next train_pass.
  virtual std::vector<RowGradient> row_gradients() { return {}; }
  /// The rows of each embedding, in the order of parameters(), that evaluating `batch` reads.
  virtual std::vector<std::vector<std::int32_t>> embedding_rows(const Batch& batch) const;
  /// Whether one thread of the CPU computes `batch` sooner than several: so little is to do that
  /// waking the others takes longer.
  virtual bool is_small(const Batch& batch) const {
    (void)batch;
    return false;
  }
  /// Elements of the tensors that are the model's besides its parameters.
  virtual std::int64_t constant_count() const { return 0; }
  /// Multiplications of a forward pass for each token, roughly; what only moves an element counts
  /// by its time. Here: one for each element of a matrix.
  virtual std::int64_t work_per_token() const;
  /// Whether evaluation draws random numbers (noise at evaluation).
  virtual bool random_at_evaluation() const { return false; }
};

/// Sum of the elements of all parameters.
std::int64_t parameter_count(const Classifier& classifier);

}  // namespace diffuse
