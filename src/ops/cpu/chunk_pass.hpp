#pragma once

#include <cstdint>
#include <span>

#include "diffuse/ops/fused_diffusion.hpp"
#include "kernels.hpp"
#include "thread_memory.hpp"

namespace diffuse::cpu {

/// What a thread does with a chunk of a batch: from the tables' rows through all steps to pooled
/// rows, and back.
class ChunkPass {
 public:
  ChunkPass(const DiffusionPlan& plan, const FusedOptions& options);

  /// Takes whole texts, by number, forward; returns their output, padded: pooled rows, or states.
  /// `keep`: for the gradient.
  const float* forward(const DiffusionInput& input, std::span<const std::int64_t> texts,
                       ThreadMemory& memory, bool keep) const;
  /// Takes a piece of a text forward, up to the states, with as many rows around it as a row's
  /// result depends on, `reaches` times.
  void forward_piece(const DiffusionInput& input, RowSpan piece, std::int64_t text,
                     std::int64_t reaches, ThreadMemory& memory, bool keep) const;
  /// Copies the texts' output to where it belongs in the batch's, without padding.
  void write_output(const DiffusionInput& input, std::span<const std::int64_t> texts,
                    const ThreadMemory& memory, const float* from, float* output) const;
  /// Rows of the texts' output.
  std::int64_t output_rows(const ThreadMemory& memory) const;
  /// From the gradient of the states, after a forward with `keep`, to that of the rows of the
  /// tables, in the batch's `target`; the parameters' are added to `slot`.
  void backward(const DiffusionInput& input, ThreadMemory& memory, float* slot,
                const RowGradientSink& target) const;

 private:
  /// Takes the initial state through all steps; with `keep` for the gradient.
  void run(const DiffusionInput& input, ThreadMemory& memory, bool keep) const;
  void start(const DiffusionInput& input, ThreadMemory& memory) const;
  void embed(const DiffusionInput& input, RowRange rows, float* state) const;
  bool drops(const DiffusionInput& input) const;
  Keep keep_of(std::int64_t rows) const;

  const DiffusionPlan& plan_;
  std::int64_t reach_;
  std::int64_t cache_bytes_;
  std::int64_t most_kept_bytes_;
};

}  // namespace diffuse::cpu
