#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "diffuse/ops/counter_random.hpp"
#include "diffuse/ops/row_update.hpp"
#include "head_plan.hpp"
#include "layout.hpp"

namespace diffuse::cpu {

struct Kernels;

/// An operator ready to run: widths, packed parameters, steps.
struct DiffusionPlan {
  DiffusionPlan(const DiffusionSpec& of, const Kernels& by, Arithmetic with = Arithmetic::single)
      : spec(of), kernels(by), arithmetic(with), widths(of), gradients(of, widths) {}

  DiffusionSpec spec;
  const Kernels& kernels;
  Arithmetic arithmetic;
  Widths widths;
  GradientLayout gradients;
  std::vector<PackedStep> packed{};
  std::vector<StepPlan> steps{};
};

/// Rows of the batch: the first one's number and how many.
struct RowRange {
  std::int64_t first = 0;
  std::int64_t count = 0;
};

/// The operator's vector code for one instruction set. Each function works on one chunk of whole
/// texts, in one thread.
struct Kernels {
  std::string_view name;
  /// Of bf16 numbers: pairs, or native_pairs where these instructions include them; tiles of the
  /// set "AMX", which is AVX-512 in all else.
  Arithmetic (*bf16_arithmetic)();

  /// Turns a packed panel of `depth` rows, a multiple of kUnit, into cells of two bf16 numbers.
  void (*pair_panel)(float* panel, std::int64_t depth);

  /// Adds noise to the rows of the batch in `state` `[rows.count, D]`. `scratch`: room for a number
  /// a channel, and kUnit · 4 more.
  void (*add_noise)(const DiffusionPlan& plan, const RandomPlace& place, RowRange rows,
                    float* state, float* scratch);

  /// 16 random bits for each of `width` channels, a multiple of 8, of the rows, as random_half has
  /// them; `bits` has room for kUnit · 8 more.
  void (*draw_halves)(const RandomPlace& place, RandomStream stream, RowRange rows,
                      std::int64_t width, std::uint16_t* bits);

  /// Zeroes what `bits` drop of `rows` rows and scales the others: of the state, and of its
  /// gradient.
  void (*apply_dropout)(const DiffusionPlan& plan, const std::uint16_t* bits, std::int64_t rows,
                        float* values);

  /// Takes the chunk through the steps of `range`, before the first one from the initial state in
  /// `workspace.start`, to `workspace.state`. Where the workspace has buffers for each step, all
  /// steps are run, and what the gradient needs is kept there.
  void (*run_steps)(const DiffusionPlan& plan, const Chunk& chunk, const Workspace& workspace,
                    StepRange range);

  /// The way back through step `t`, the last one first: `workspace.gradient` becomes that of the
  /// state before it, after the first step with all that the initial state has; the parameters' is
  /// added to `slot`. Where no steps are kept the state before the step is in `workspace.state`
  /// again.
  void (*step_back)(const DiffusionPlan& plan, const Chunk& chunk, Workspace& workspace,
                    std::size_t t, float* slot);

  /// Pools the chunk's state: `[texts, padded D]`, or twice that, the mean first.
  void (*pool)(const DiffusionPlan& plan, const Chunk& chunk, const Workspace& workspace,
               float* pooled);

  /// The gradient of pool's output into `workspace.gradient`. `whole`: where the chunk is a piece,
  /// the text that `pooled` is of, else null.
  void (*unpool)(const DiffusionPlan& plan, const Chunk& chunk, const Workspace& workspace,
                 const float* pooled, const float* pooled_gradient, const WholeText* whole);

  /// How many of the chunk's rows have each channel's maximum `most` `[D]`: [D].
  void (*count_ties)(const DiffusionPlan& plan, const Chunk& chunk, const Workspace& workspace,
                     const float* most, float* ties);

  /// Logits `[n, C]` of the pooled rows in `memory.input`, which dropout changes.
  void (*head_forward)(const HeadPlan& plan, const HeadBatch& batch, const HeadMemory& memory);

  /// Loss and gradients after head_forward: that of the pooled rows goes to
  /// `memory.input_gradient`, the parameters' are added to `slot`.
  HeadFigures (*head_backward)(const HeadPlan& plan, const HeadBatch& batch,
                               const HeadMemory& memory, float* slot);

  /// to += from, `count` floats.
  void (*add)(float* to, const float* from, std::int64_t count);

  /// The sum of the squares of `count` floats.
  double (*square_sum)(const float* from, std::int64_t count);

  /// AdamW of one row of a table, see RowUpdate.
  void (*update_row)(const RowUpdate& rule, const RowAbsence& absence, const float* gradient,
                     std::int64_t count, const RowState& row);

  /// As the function of that name in ops/row_update.hpp.
  void (*follow_tail)(const RowTail& tail, std::int64_t count, const RowState& row, float* to);
};

/// Those that this processor can run, the fastest first; there is always one.
std::span<const Kernels* const> available_kernels();

/// Those of one instruction set, the fastest for an empty name. Throws Error where the processor
/// lacks it.
const Kernels& kernels_of(std::string_view instructions);

}  // namespace diffuse::cpu
