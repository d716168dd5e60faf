#pragma once

#include <functional>
#include <span>
#include <vector>

#include "diffuse/ops/fused_diffusion.hpp"
#include "kernels.hpp"
#include "packing.hpp"

namespace diffuse::cpu {

/// The parameters of a diffusion operator in the kernels' form: padded, in panels, with 1 - alpha
/// in the neighbours' weights.
class PackedParameters {
 public:
  /// Both must outlive the object.
  PackedParameters(DiffusionPlan& plan, WorkerPool& pool);

  /// Packs anew what the optimizer changed: `steps`, one set a step or one for all. With
  /// `gradients` the transposes too.
  void pack(std::span<const StepPointers<const float>> steps, bool gradients);

  /// Adds a slot's sum of gradients, laid out as GradientLayout, to the parameters' own; where a
  /// pointer is null the parameter is not learned.
  void add_gradients(const float* slot, std::span<const StepPointers<const float>> steps,
                     std::span<const StepPointers<float>> gradients);

 private:
  void pack_step(std::size_t index, const StepPointers<const float>& from, bool gradients);
  void fold_norm(const StepPointers<const float>& from);
  void pack_matrices(const float* weight, bool gradients, const std::vector<float*>& at,
                     PackedStep& to);
  Panels ready(const Panels& panels, float* data);
  void pack_factors(const float* weight, float* at, PackedStep& to);
  void add_folded_gradients(const float* matrix, const float* bias,
                            const StepPointers<const float>& at, const StepPointers<float>& to);
  void add_mix_gradients(const float* mixed, const float* base_sums,
                         const StepPointers<const float>& at, const StepPointers<float>& to);

  void for_channels(const std::function<void(RowSpan channels)>& work);

  DiffusionPlan& plan_;
  WorkerPool& pool_;
  FloatBuffer memory_;
  std::vector<float> alpha_;                 // of the step that is packed or added
  std::vector<float> folded_;                // first matrix and bias with the norm before them
  std::vector<float> side_by_side_;          // W_k of that step
  std::vector<std::vector<float*>> places_;  // of each step's packed parts, in pack_step's order
};

}  // namespace diffuse::cpu
