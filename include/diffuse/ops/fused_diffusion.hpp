#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "diffuse/base/worker_pool.hpp"
#include "diffuse/ops/counter_random.hpp"
#include "diffuse/ops/diffusion_spec.hpp"

namespace diffuse {

/// The parameters of one step, or their gradients, in the reference's layout; null for what the
/// step has not.
template <class Float>
struct StepPointers {
  Float* weight = nullptr;       ///< [K], [K, D] or [K, D, D] (output channel first)
  Float* alpha_logit = nullptr;  ///< [D], before the sigmoid
  Float* norm_weight = nullptr;  ///< [D]
  Float* norm_bias = nullptr;    ///< [D]
  Float* in_weight = nullptr;    ///< [outputs, D]
  Float* in_bias = nullptr;      ///< [outputs]
  Float* out_weight = nullptr;   ///< [D, H]
  Float* out_bias = nullptr;     ///< [D]
};

/// One of the tables whose rows make the initial state.
struct TokenTable {
  const float* rows = nullptr;        ///< [V, D]
  const std::int32_t* ids = nullptr;  ///< [N], of each row of the batch; -1: none
  float scale = 1;                    ///< of the rows in the sum
};

/// A packed batch, and all that its initial state is made of.
struct DiffusionInput {
  std::span<const std::int32_t> offsets;  ///< [B + 1], of the texts among the N rows
  std::span<const TokenTable> tables;     ///< summed
  const float* given = nullptr;           ///< [N, D], added before dropout
  /// Where noise and dropout are drawn; null: neither.
  const RandomPlace* random = nullptr;
  bool dropout = false;  ///< else noise alone
};

/// Where the gradient of the sum of the tables' rows goes.
struct RowGradientSink {
  float* gradient = nullptr;  ///< [N, D]
  bool add = false;           ///< to what is there
};

/// What is chosen by itself where nothing is given.
struct FusedOptions {
  std::string_view instructions{};  ///< one of FusedDiffusion::instruction_sets()
  std::int64_t piece_rows = 0;      ///< of a piece of a longer text
  /// Of a chunk for which a thread would keep more for the way back it keeps what f's activations
  /// are computed from, instead of these: a second-level cache of 1 MiB.
  std::int64_t cache_bytes = std::int64_t{1024} * 1024;
  /// Of a chunk for which a thread would keep more even so, it keeps some of the states
  /// alone and computes the rest again, for about twice the time.
  std::int64_t most_kept_bytes = std::int64_t{256} * 1024 * 1024;
  bool bf16 = false;  ///< products of numbers rounded to bf16, summed in float32
};

/// The diffusion operator on the CPU, a text at a time: a thread takes a few texts through
/// embedding, all steps and pooling while their rows are in its cache, and on the way back too.
/// Long texts are cut into pieces, which threads share; a piece computes again the few rows around
/// it that its own depend on, and with the gradient its own rows a second time, because that of
/// pooling is known only after all pieces.
/// Each result depends on the input alone, never on the number of threads: gradients are gathered
/// in slots, whose number depends on the batch, and added up in a fixed order.
///
/// float32, with AVX2 or AVX-512 where the processor has them. Matrix products may be of numbers
/// rounded to bf16 (the rows, the matrices and the gradients that meet in them); all else, and
/// their sums, stay float32. AMX or avx512_bf16 multiplies them where the processor has
/// it; without both they are no faster than float32.
class FusedDiffusion {
 public:
  /// `pool` must outlive the object. Throws Error for instructions that the processor lacks.
  FusedDiffusion(const DiffusionSpec& spec, WorkerPool& pool, const FusedOptions& options = {});
  ~FusedDiffusion();
  FusedDiffusion(const FusedDiffusion&) = delete;
  FusedDiffusion& operator=(const FusedDiffusion&) = delete;

  /// Takes over the parameters' present values: after each change. `with_gradient`: backward will
  /// be asked for.
  void set_parameters(std::span<const StepPointers<const float>> steps, bool with_gradient);

  /// `output`: `[B, output_dim]`, or `[N, D]` without pooling.
  void forward(const DiffusionInput& input, float* output);

  /// What stands between forward and backward: gets the outputs of some texts (their rows where
  /// nothing is pooled), writes the gradients; called from several threads, with a slot of its own
  /// for sums: what is added in the order of calls for one slot, and over slots in their order, is
  /// the same with any number of threads.
  struct Exchange {
    std::span<const std::int64_t> texts;  ///< numbers in the batch
    std::int64_t slot = 0;
    std::int64_t worker = 0;        ///< which thread of the pool calls
    const float* output = nullptr;  ///< [texts, output_dim] or [their rows, D], dense
    float* gradient = nullptr;      ///< the same shape
  };
  using Middle = std::function<void(const Exchange&)>;

  /// Forward, `middle`, and backward of the batch. `rows` gets the gradient of the sum of the
  /// tables' rows; the parameters' gradients are added to `gradients`, one a set.
  /// `slots`: as slot_count has it, or any other number that does not depend on the threads.
  void forward_backward(const DiffusionInput& input, const Middle& middle,
                        const RowGradientSink& rows, std::span<const StepPointers<float>> gradients,
                        std::int64_t slots);

  /// The slots that suit a batch: up to 16, fewer where it is small, or a slot, with the
  /// `other_floats` that the caller keeps for each, is large.
  std::int64_t slot_count(std::span<const std::int32_t> offsets,
                          std::int64_t other_floats = 0) const;

  /// What the object takes, for estimates: each thread for a chunk with a text of `longest` rows;
  /// all slots of `parameters` elements; and copies of every matrix, one for each direction.
  static std::int64_t thread_bytes(const DiffusionSpec& spec, std::int64_t longest);
  static std::int64_t slot_bytes(std::int64_t parameters);
  static constexpr std::int64_t kMatrixCopies = 2;

  /// The instruction sets that there are kernels for and that this processor has, best first:
  /// "AVX-512", "AVX2", "SSSE3"; for products of bf16 numbers "AMX" before these.
  static std::vector<std::string_view> instruction_sets(bool bf16 = false);
  /// Whether this processor multiplies bf16 numbers by instructions of its own.
  static bool has_bf16_instructions();

 private:
  struct Implementation;
  std::unique_ptr<Implementation> self_;
};

/// Dropout of tokens or of pairs, by `stream`: puts `other` in the place of a whole batch's ids,
/// each with `probability`, `span` in a row at a time; a text's last span may go on into the next.
void drop_ids(const RandomPlace& place, RandomStream stream, double probability, std::int64_t span,
              std::int32_t other, std::span<std::int32_t> ids);

}  // namespace diffuse
