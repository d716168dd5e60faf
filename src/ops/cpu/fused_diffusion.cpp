#include "diffuse/ops/fused_diffusion.hpp"

#include <algorithm>

#include "chunk_pass.hpp"
#include "chunks.hpp"
#include "kernels.hpp"
#include "long_texts.hpp"
#include "packing.hpp"
#include "parameters.hpp"
#include "thread_memory.hpp"

namespace diffuse {
namespace {

using cpu::ChunkPlan;
using cpu::FloatBuffer;
using cpu::ThreadMemory;

// A thread's arrays beside the matrices, in a second-level cache of 512 KiB.
constexpr std::int64_t kChunkBytes = std::int64_t{256} * 1024;
// Clearing a slot and adding it up takes as long as the work of three rows.
constexpr std::int64_t kSlotRows = 40;
constexpr std::int64_t kMaxSlots = 16;
// All slots together: 32 MiB. Half of them wait for the other half where a model is that large.
constexpr std::int64_t kSlotFloats = std::int64_t{8} * 1024 * 1024;

cpu::DiffusionPlan make_plan(const DiffusionSpec& spec, const FusedOptions& options) {
  const cpu::Kernels& kernels = cpu::kernels_of(options.instructions);
  return {spec, kernels, options.bf16 ? kernels.bf16_arithmetic() : cpu::Arithmetic::single};
}

std::int64_t most_slots(std::int64_t floats) {
  return std::clamp<std::int64_t>(kSlotFloats / (floats + 1), 2, kMaxSlots);
}

}  // namespace

struct FusedDiffusion::Implementation {
  Implementation(const DiffusionSpec& spec, WorkerPool& workers, const FusedOptions& how)
      : options(how),
        plan(make_plan(spec, how)),
        parameters(plan, workers),
        pool(workers),
        pass(plan, how),
        long_texts(plan) {
    memory.resize(static_cast<std::size_t>(pool.threads()));
  }

  std::int64_t most_rows(bool keep) const {
    return std::max(
        cpu::kBlockRows,
        kChunkBytes / cpu::bytes_a_row(plan, keep ? cpu::Keep::all : cpu::Keep::nothing));
  }

  void take_piece(const DiffusionInput& input, std::int64_t index, std::int64_t reaches,
                  ThreadMemory& own, bool keep) const {
    const cpu::Piece& piece = deal.pieces()[static_cast<std::size_t>(index)];
    const std::int64_t text = deal.cut_texts()[static_cast<std::size_t>(piece.cut)];
    pass.forward_piece(input, piece.own, text, reaches, own, keep);
  }

  /// The pieces' part of a batch's outputs, where that is all there is to do with them yet.
  void forward_piece(const DiffusionInput& input, std::int64_t index, std::int64_t worker,
                     bool for_gradient) {
    ThreadMemory& own = memory[static_cast<std::size_t>(worker)];
    take_piece(input, index, 1, own, false);
    long_texts.add_piece(index, own, for_gradient);
  }

  void write_long_outputs(const DiffusionInput& input, float* output) const {
    const auto texts = long_texts.texts();
    const std::int64_t width = long_texts.output_width();
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const std::int64_t first = long_texts.row_of(static_cast<std::int64_t>(i));
      const std::int64_t rows = long_texts.row_of(static_cast<std::int64_t>(i) + 1) - first;
      const std::int64_t to =
          plan.spec.pooling ? texts[i] : input.offsets[static_cast<std::size_t>(texts[i])];
      std::copy_n(long_texts.outputs() + first * width, rows * width, output + to * width);
    }
  }

  /// Forward and `middle` of the texts that are cut: their pieces' gradients come after.
  void forward_long_texts(const DiffusionInput& input, const Middle& middle) {
    if (deal.pieces().empty()) return;
    long_texts.begin(deal, input.offsets);
    pool.run(static_cast<std::int64_t>(deal.pieces().size()),
             [&](std::int64_t index, std::int64_t worker) {
               forward_piece(input, index, worker, true);
             });
    long_texts.combine();
    middle({.texts = long_texts.texts(),
            .output = long_texts.outputs(),
            .gradient = long_texts.gradients()});
    long_texts.read_gradients();
  }

  void forward_backward_piece(const DiffusionInput& input, std::int64_t index, std::int64_t slot,
                              std::int64_t worker, const RowGradientSink& target) {
    ThreadMemory& own = memory[static_cast<std::size_t>(worker)];
    // A row's gradient needs states as far away as a text's end result, and those again.
    take_piece(input, index, 2, own, true);
    long_texts.spread(index, own);
    pass.backward(input, own, slot_data(slot), target);
  }

  void forward_backward_chunk(const DiffusionInput& input, std::span<const std::int64_t> texts,
                              std::int64_t slot, std::int64_t worker, const Middle& middle,
                              const RowGradientSink& target) {
    ThreadMemory& own = memory[static_cast<std::size_t>(worker)];
    const float* output = pass.forward(input, texts, own, true);
    const std::int64_t dim = plan.widths.dim;
    const std::int64_t width = plan.widths.state;
    const std::int64_t rows = pass.output_rows(own);
    float* gradient = plan.spec.pooling ? own.output_gradient : own.workspace.gradient;
    if (dim == width) {
      middle(
          {.texts = texts, .slot = slot, .worker = worker, .output = output, .gradient = gradient});
    } else {
      own.dense.resize(static_cast<std::size_t>(rows * dim));
      own.dense_gradient.resize(own.dense.size());
      cpu::copy_rows(output, width, rows, dim, own.dense.data(), dim);
      middle({.texts = texts,
              .slot = slot,
              .worker = worker,
              .output = own.dense.data(),
              .gradient = own.dense_gradient.data()});
      std::fill_n(gradient, rows * width, 0.0F);
      cpu::copy_rows(own.dense_gradient.data(), dim, rows, dim, gradient, width);
    }
    if (plan.spec.pooling)
      plan.kernels.unpool(plan, own.chunk(), own.workspace, output, gradient, nullptr);
    pass.backward(input, own, slot_data(slot), target);
  }

  float* slot_data(std::int64_t slot) { return slots.data() + slot * slot_stride(); }
  std::int64_t slot_stride() const { return cpu::padded(plan.gradients.size); }

  /// The slots' sum, in their order, in the first.
  void add_slots() {
    const std::int64_t count = deal.slot_count();
    const std::int64_t size = slot_stride();
    constexpr std::int64_t kPart = 4096;
    pool.run((size + kPart - 1) / kPart, [&](std::int64_t part, std::int64_t) {
      const std::int64_t at = part * kPart;
      const std::int64_t floats = std::min(kPart, size - at);
      for (std::int64_t s = 1; s < count; ++s)
        plan.kernels.add(slot_data(0) + at, slot_data(s) + at, floats);
    });
  }

  FusedOptions options;
  cpu::DiffusionPlan plan;
  cpu::PackedParameters parameters;
  WorkerPool& pool;
  cpu::ChunkPass pass;
  std::vector<StepPointers<const float>> values;
  std::vector<ThreadMemory> memory;
  ChunkPlan deal;
  cpu::LongTexts long_texts;
  FloatBuffer slots;
};

FusedDiffusion::FusedDiffusion(const DiffusionSpec& spec, WorkerPool& pool,
                               const FusedOptions& options)
    : self_(std::make_unique<Implementation>(spec, pool, options)) {}

FusedDiffusion::~FusedDiffusion() = default;

void FusedDiffusion::set_parameters(std::span<const StepPointers<const float>> steps,
                                    bool with_gradient) {
  self_->values.assign(steps.begin(), steps.end());
  self_->parameters.pack(steps, with_gradient);
}

std::int64_t FusedDiffusion::slot_count(std::span<const std::int32_t> offsets,
                                        std::int64_t other_floats) const {
  const std::int64_t rows = offsets.back() - offsets.front();
  return std::clamp<std::int64_t>(rows / kSlotRows, 1,
                                  most_slots(self_->slot_stride() + other_floats));
}

std::int64_t FusedDiffusion::slot_bytes(std::int64_t parameters) {
  return most_slots(parameters) * parameters * static_cast<std::int64_t>(sizeof(float));
}

std::int64_t FusedDiffusion::thread_bytes(const DiffusionSpec& spec, std::int64_t longest) {
  cpu::DiffusionPlan plan(spec, cpu::kernels_of({}));
  plan.steps.resize(static_cast<std::size_t>(spec.steps()));
  const std::int64_t rows = cpu::largest_chunk(plan, longest);
  const std::int64_t kept = rows * cpu::bytes_a_row(plan, cpu::Keep::inputs);
  if (kept <= FusedOptions().most_kept_bytes) return std::max(kChunkBytes, kept);
  return rows * cpu::bytes_a_row(plan, cpu::Keep::some_states);
}

void FusedDiffusion::forward(const DiffusionInput& input, float* output) {
  Implementation& self = *self_;
  // More chunks than slots have them only balance the threads' loads here.
  self.deal.deal(input.offsets, self.most_rows(false), kMaxSlots,
                 cpu::cut_rule(self.plan, input.offsets, false, self.options.piece_rows));
  self.long_texts.begin(self.deal, input.offsets);
  self.pool.run(static_cast<std::int64_t>(self.deal.chunks().size()), [&](std::int64_t index,
                                                                          std::int64_t worker) {
    const ChunkPlan::Part& chunk = self.deal.chunks()[static_cast<std::size_t>(index)];
    if (chunk.piece >= 0) return self.forward_piece(input, chunk.piece, worker, false);
    ThreadMemory& own = self.memory[static_cast<std::size_t>(worker)];
    const auto texts = self.deal.texts(chunk);
    const float* from = self.pass.forward(input, texts, own, false);
    self.pass.write_output(input, texts, own, from, output);
  });
  self.long_texts.combine();
  self.write_long_outputs(input, output);
}

void FusedDiffusion::forward_backward(const DiffusionInput& input, const Middle& middle,
                                      const RowGradientSink& target,
                                      std::span<const StepPointers<float>> gradients,
                                      std::int64_t slots) {
  Implementation& self = *self_;
  self.deal.deal(input.offsets, self.most_rows(true), slots,
                 cpu::cut_rule(self.plan, input.offsets, true, self.options.piece_rows));
  self.forward_long_texts(input, middle);
  self.slots.reserve(self.slot_stride() * slots);
  self.pool.run(self.deal.slot_count(), [&](std::int64_t slot, std::int64_t worker) {
    std::fill_n(self.slot_data(slot), self.slot_stride(), 0.0F);
    for (const std::int64_t index : self.deal.slot(slot)) {
      const ChunkPlan::Part& chunk = self.deal.chunks()[static_cast<std::size_t>(index)];
      if (chunk.piece >= 0)
        self.forward_backward_piece(input, chunk.piece, slot, worker, target);
      else
        self.forward_backward_chunk(input, self.deal.texts(chunk), slot, worker, middle, target);
    }
  });
  if (self.plan.steps.empty()) return;
  self.add_slots();
  self.parameters.add_gradients(self.slot_data(0), self.values, gradients);
}

std::vector<std::string_view> FusedDiffusion::instruction_sets(bool bf16) {
  std::vector<std::string_view> names;
  for (const cpu::Kernels* kernels : cpu::available_kernels())
    if (bf16 || kernels->bf16_arithmetic() != cpu::Arithmetic::tiles)
      names.push_back(kernels->name);
  return names;
}

bool FusedDiffusion::has_bf16_instructions() {
  return cpu::kernels_of({}).bf16_arithmetic() != cpu::Arithmetic::pairs;
}

void drop_ids(const RandomPlace& place, RandomStream stream, double probability, std::int64_t span,
              std::int32_t other, std::span<std::int32_t> ids) {
  constexpr std::int64_t kRows = 128;
  constexpr std::int64_t kWidth = 8;  // the first of these is used
  const cpu::Kernels& kernels = cpu::kernels_of({});
  const std::uint32_t kept = keep_threshold(span_start_probability(probability, span));
  std::uint16_t bits[(kRows + 8 * cpu::kUnit) * kWidth];
  const auto count = static_cast<std::int64_t>(ids.size());
  std::int64_t end = 0;  // of the last span that began
  for (std::int64_t first = 0; first < count; first += kRows) {
    const std::int64_t rows = std::min(kRows, count - first);
    kernels.draw_halves(place, stream, {first, rows}, kWidth, bits);
    for (std::int64_t i = 0; i < rows; ++i) {
      if (bits[i * kWidth] >= kept) end = first + i + span;
      if (first + i < end) ids[static_cast<std::size_t>(first + i)] = other;
    }
  }
}

}  // namespace diffuse
