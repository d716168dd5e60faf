#include "chunk_pass.hpp"

#include <algorithm>

#include "chunks.hpp"
#include "embed.hpp"
#include "packing.hpp"
#include "repeated_steps.hpp"

namespace diffuse::cpu {
namespace {

/// How many rows before it is read a row is asked for.
constexpr std::int64_t kRowsAhead = 4;

}  // namespace

ChunkPass::ChunkPass(const DiffusionPlan& plan, const FusedOptions& options)
    : plan_(plan),
      reach_(reach(plan.spec)),
      cache_bytes_(options.cache_bytes),
      most_kept_bytes_(options.most_kept_bytes) {}

const float* ChunkPass::forward(const DiffusionInput& input, std::span<const std::int64_t> texts,
                                ThreadMemory& memory, bool keep) const {
  memory.take_texts(texts, input.offsets);
  run(input, memory, keep);
  if (!plan_.spec.pooling) return memory.workspace.state;
  plan_.kernels.pool(plan_, memory.chunk(), memory.workspace, memory.output);
  return memory.output;
}

void ChunkPass::forward_piece(const DiffusionInput& input, RowSpan piece, std::int64_t text,
                              std::int64_t reaches, ThreadMemory& memory, bool keep) const {
  memory.take_piece(piece, text, input.offsets, reaches * reach_);
  run(input, memory, keep);
}

void ChunkPass::write_output(const DiffusionInput& input, std::span<const std::int64_t> texts,
                             const ThreadMemory& memory, const float* from, float* output) const {
  const std::int64_t dim = plan_.widths.dim;
  const std::int64_t width = plan_.widths.state;
  const std::int64_t each = plan_.spec.pooling == Pooling::mean_max ? 2 : 1;
  for (std::size_t t = 0; t < texts.size(); ++t) {
    const std::int64_t rows = plan_.spec.pooling ? each : memory.rows[t].count;
    const std::int64_t to =
        plan_.spec.pooling ? texts[t] * each : input.offsets[static_cast<std::size_t>(texts[t])];
    copy_rows(from, width, rows, dim, output + to * dim, dim);
    from += rows * width;
  }
}

std::int64_t ChunkPass::output_rows(const ThreadMemory& memory) const {
  if (!plan_.spec.pooling) return memory.bounds.back();
  return plan_.spec.pooling == Pooling::mean_max ? 2 * memory.chunk().texts()
                                                 : memory.chunk().texts();
}

void ChunkPass::backward(const DiffusionInput& input, ThreadMemory& memory, float* slot,
                         const RowGradientSink& target) const {
  const std::int64_t width = plan_.widths.state;
  const std::int64_t dim = plan_.widths.dim;
  if (memory.kept == Keep::some_states)
    RepeatedSteps(plan_, memory, [&] { start(input, memory); }).back(slot);
  else
    for (std::size_t t = plan_.steps.size(); t-- > 0;)
      plan_.kernels.step_back(plan_, memory.chunk(), memory.workspace, t, slot);
  if (drops(input))
    plan_.kernels.apply_dropout(plan_, memory.bits, memory.bounds.back(),
                                memory.workspace.gradient);
  const auto write = [&](std::int64_t from, std::int64_t count, std::int64_t to) {
    const float* rows = memory.workspace.gradient + from * width;
    float* out = target.gradient + to * dim;
    if (!target.add) return copy_rows(rows, width, count, dim, out, dim);
    for (std::int64_t i = 0; i < count; ++i)
      plan_.kernels.add(out + i * dim, rows + i * width, dim);
  };
  if (memory.rows.size() == 1)
    return write(memory.own.begin, memory.own.end - memory.own.begin,
                 memory.rows[0].first + memory.own.begin);
  for (std::size_t t = 0; t < memory.rows.size(); ++t)
    write(memory.bounds[t], memory.rows[t].count, memory.rows[t].first);
}

void ChunkPass::run(const DiffusionInput& input, ThreadMemory& memory, bool keep) const {
  memory.arrange(plan_, keep ? keep_of(memory.bounds.back()) : Keep::nothing);
  start(input, memory);
  if (memory.kept == Keep::some_states)
    RepeatedSteps(plan_, memory, {}).forward();
  else
    plan_.kernels.run_steps(plan_, memory.chunk(), memory.workspace, {0, plan_.steps.size()});
}

/// The initial state of the chunk that `memory` took up, and its dropout.
void ChunkPass::start(const DiffusionInput& input, ThreadMemory& memory) const {
  const std::int64_t width = plan_.widths.state;
  for (std::size_t t = 0; t < memory.rows.size(); ++t) {
    const RowRange rows = memory.rows[t];
    float* state = memory.workspace.start + memory.bounds[t] * width;
    embed(input, rows, state);
    if (input.random == nullptr) continue;
    if (plan_.spec.noise_std > 0)
      plan_.kernels.add_noise(plan_, *input.random, rows, state, memory.workspace.u);
    if (drops(input)) {
      std::uint16_t* bits = memory.bits + memory.bounds[t] * width;
      plan_.kernels.draw_halves(*input.random, RandomStream::embedding_dropout, rows, width, bits);
      plan_.kernels.apply_dropout(plan_, bits, rows.count, state);
    }
  }
}

void ChunkPass::embed(const DiffusionInput& input, RowRange rows, float* state) const {
  const std::int64_t dim = plan_.widths.dim;
  const std::int64_t width = plan_.widths.state;
  for (std::int64_t i = 0; i < rows.count; ++i) {
    float* to = state + i * width;
    if (i + kRowsAhead < rows.count) prefetch_row(input, rows.first + i + kRowsAhead, dim);
    embed_row(input, rows.first + i, dim, to);
    if (input.given != nullptr) {
      const float* given = input.given + (rows.first + i) * dim;
      add_scaled(given, 1.0F, dim, to);
    }
    std::fill(to + dim, to + width, 0.0F);
  }
}

/// What is kept of a chunk for the way back.
Keep ChunkPass::keep_of(std::int64_t rows) const {
  if (rows * bytes_a_row(plan_, Keep::inputs) > most_kept_bytes_) return Keep::some_states;
  return rows * bytes_a_row(plan_, Keep::all) > cache_bytes_ ? Keep::inputs : Keep::all;
}

bool ChunkPass::drops(const DiffusionInput& input) const {
  return input.random != nullptr && input.dropout && plan_.spec.embedding_dropout > 0;
}

}  // namespace diffuse::cpu
