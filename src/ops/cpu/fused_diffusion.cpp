#include "diffuse/ops/fused_diffusion.hpp"

#include <algorithm>

#include "chunks.hpp"
#include "kernels.hpp"
#include "parameters.hpp"

namespace diffuse {
namespace {

using cpu::Chunk;
using cpu::ChunkPlan;
using cpu::FloatBuffer;
using cpu::ThreadMemory;

// A thread's arrays beside the matrices, in a second-level cache of 512 KiB.
constexpr std::int64_t kChunkBytes = 256 * 1024;
// A slot of fewer rows would spend its time on starting and adding up.
constexpr std::int64_t kSlotRows = 24;
constexpr std::int64_t kMaxSlots = 16;
// All slots together: 32 MiB. Half of them wait for the other half where a model is that large.
constexpr std::int64_t kSlotFloats = 8 * 1024 * 1024;

std::int64_t most_slots(std::int64_t floats) {
  return std::clamp<std::int64_t>(kSlotFloats / (floats + 1), 2, kMaxSlots);
}

}  // namespace

struct FusedDiffusion::Implementation {
  Implementation(const DiffusionSpec& spec, WorkerPool& workers, std::string_view instructions)
      : plan(spec, cpu::kernels_of(instructions)), parameters(plan), pool(workers) {
    memory.resize(static_cast<std::size_t>(pool.threads()));
  }

  std::int64_t most_rows(bool keep) const {
    return std::max(cpu::kBlockRows, kChunkBytes / cpu::bytes_a_row(plan, keep));
  }

  /// The chunk's initial state and its dropout.
  void start(const DiffusionInput& input, std::span<const std::int64_t> texts, ThreadMemory& own,
             bool keep) {
    own.bounds.assign(1, 0);
    for (const std::int64_t text : texts)
      own.bounds.push_back(own.bounds.back() + length(input, text));
    own.arrange(plan, own.bounds.back(), static_cast<std::int64_t>(texts.size()), keep);
    const std::int64_t width = plan.widths.state;
    for (std::size_t t = 0; t < texts.size(); ++t) {
      const std::int64_t row = input.offsets[static_cast<std::size_t>(texts[t])];
      const cpu::RowRange rows{row, own.bounds[t + 1] - own.bounds[t]};
      float* state = own.workspace.state + own.bounds[t] * width;
      embed(input, rows, state);
      if (input.random == nullptr) continue;
      if (plan.spec.noise_std > 0)
        plan.kernels.add_noise(plan, *input.random, rows, state, own.workspace.values);
      if (drops(input)) {
        std::uint16_t* bits = own.bits + own.bounds[t] * width;
        plan.kernels.draw_halves(*input.random, RandomStream::embedding_dropout, rows, width, bits);
        plan.kernels.apply_dropout(plan, bits, rows.count, state);
      }
    }
  }

  void embed(const DiffusionInput& input, cpu::RowRange rows, float* state) const {
    const std::int64_t dim = plan.widths.dim;
    const std::int64_t width = plan.widths.state;
    for (std::int64_t i = 0; i < rows.count; ++i) {
      float* to = state + i * width;
      bool first = true;
      for (const TokenTable& table : input.tables) {
        const float* from = table.rows + dim * std::int64_t{table.ids[rows.first + i]};
        if (first)
          std::copy_n(from, dim, to);
        else
          for (std::int64_t c = 0; c < dim; ++c) to[c] += from[c];
        first = false;
      }
      if (input.given != nullptr) {
        const float* given = input.given + (rows.first + i) * dim;
        for (std::int64_t c = 0; c < dim; ++c) to[c] += given[c];
      }
      std::fill(to + dim, to + width, 0.0F);
    }
  }

  bool drops(const DiffusionInput& input) const {
    return input.random != nullptr && input.dropout && plan.spec.embedding_dropout > 0;
  }

  static std::int64_t length(const DiffusionInput& input, std::int64_t text) {
    const auto at = static_cast<std::size_t>(text);
    return input.offsets[at + 1] - input.offsets[at];
  }

  /// Rows of the chunk's output, padded: pooled or the states.
  std::int64_t output_rows(const ThreadMemory& own) const {
    const auto texts = static_cast<std::int64_t>(own.bounds.size()) - 1;
    if (!plan.spec.pooling) return own.bounds.back();
    return plan.spec.pooling == Pooling::mean_max ? 2 * texts : texts;
  }

  /// Copies `rows` rows from one stride to another.
  static void copy_rows(const float* from, std::int64_t from_stride, std::int64_t rows,
                        std::int64_t width, float* to, std::int64_t to_stride) {
    for (std::int64_t i = 0; i < rows; ++i)
      std::copy_n(from + i * from_stride, width, to + i * to_stride);
  }

  /// Runs the chunk forward; returns its output, padded.
  const float* forward(const DiffusionInput& input, std::span<const std::int64_t> texts,
                       ThreadMemory& own, bool keep) {
    start(input, texts, own, keep);
    const Chunk chunk{own.bounds};
    plan.kernels.run_steps(plan, chunk, own.workspace, keep);
    if (!plan.spec.pooling) return own.workspace.state;
    plan.kernels.pool(plan, chunk, own.workspace, own.output);
    return own.output;
  }

  /// Where the chunk's outputs go in the batch's: text by text.
  void write_output(const DiffusionInput& input, std::span<const std::int64_t> texts,
                    const ThreadMemory& own, const float* from, float* output) const {
    const std::int64_t dim = plan.widths.dim;
    const std::int64_t width = plan.widths.state;
    const std::int64_t each = plan.spec.pooling == Pooling::mean_max ? 2 : 1;
    for (std::size_t t = 0; t < texts.size(); ++t) {
      const std::int64_t rows = plan.spec.pooling ? each : own.bounds[t + 1] - own.bounds[t];
      const std::int64_t to =
          plan.spec.pooling ? texts[t] * each : input.offsets[static_cast<std::size_t>(texts[t])];
      copy_rows(from, width, rows, dim, output + to * dim, dim);
      from += rows * width;
    }
  }

  void forward_backward_chunk(const DiffusionInput& input, std::span<const std::int64_t> texts,
                              std::int64_t slot, std::int64_t worker, const Middle& middle,
                              float* row_gradient) {
    ThreadMemory& own = memory[static_cast<std::size_t>(worker)];
    const float* output = forward(input, texts, own, true);
    const std::int64_t dim = plan.widths.dim;
    const std::int64_t width = plan.widths.state;
    const std::int64_t rows = output_rows(own);
    float* gradient = plan.spec.pooling ? own.output_gradient : own.workspace.gradient;
    if (dim == width) {
      middle(
          {.texts = texts, .slot = slot, .worker = worker, .output = output, .gradient = gradient});
    } else {
      own.dense.resize(static_cast<std::size_t>(rows * dim));
      own.dense_gradient.resize(own.dense.size());
      copy_rows(output, width, rows, dim, own.dense.data(), dim);
      middle({.texts = texts,
              .slot = slot,
              .worker = worker,
              .output = own.dense.data(),
              .gradient = own.dense_gradient.data()});
      std::fill_n(gradient, rows * width, 0.0F);
      copy_rows(own.dense_gradient.data(), dim, rows, dim, gradient, width);
    }
    const Chunk chunk{own.bounds};
    if (plan.spec.pooling) plan.kernels.unpool(plan, chunk, own.workspace, output, gradient);
    plan.kernels.run_steps_back(plan, chunk, own.workspace, slot_data(slot));
    if (drops(input))
      plan.kernels.apply_dropout(plan, own.bits, own.bounds.back(), own.workspace.gradient);
    for (std::size_t t = 0; t < texts.size(); ++t)
      copy_rows(own.workspace.gradient + own.bounds[t] * width, width,
                own.bounds[t + 1] - own.bounds[t], dim,
                row_gradient + input.offsets[static_cast<std::size_t>(texts[t])] * dim, dim);
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

  cpu::DiffusionPlan plan;
  cpu::PackedParameters parameters;
  WorkerPool& pool;
  std::vector<StepPointers<const float>> values;
  std::vector<ThreadMemory> memory;
  ChunkPlan deal;
  FloatBuffer slots;
};

FusedDiffusion::FusedDiffusion(const DiffusionSpec& spec, WorkerPool& pool,
                               std::string_view instructions)
    : self_(std::make_unique<Implementation>(spec, pool, instructions)) {}

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
  return std::max(kChunkBytes, longest * cpu::bytes_a_row(plan, true));
}

void FusedDiffusion::forward(const DiffusionInput& input, float* output) {
  Implementation& self = *self_;
  // More chunks than slots have them only balance the threads' loads here.
  self.deal.deal(input.offsets, self.most_rows(false), kMaxSlots);
  self.pool.run(static_cast<std::int64_t>(self.deal.chunks().size()), [&](std::int64_t index,
                                                                          std::int64_t worker) {
    ThreadMemory& own = self.memory[static_cast<std::size_t>(worker)];
    const auto texts = self.deal.texts(self.deal.chunks()[static_cast<std::size_t>(index)]);
    const float* from = self.forward(input, texts, own, false);
    self.write_output(input, texts, own, from, output);
  });
}

void FusedDiffusion::forward_backward(const DiffusionInput& input, const Middle& middle,
                                      float* row_gradient,
                                      std::span<const StepPointers<float>> gradients,
                                      std::int64_t slots) {
  Implementation& self = *self_;
  self.deal.deal(input.offsets, self.most_rows(true), slots);
  self.slots.reserve(self.slot_stride() * slots);
  self.pool.run(self.deal.slot_count(), [&](std::int64_t slot, std::int64_t worker) {
    std::fill_n(self.slot_data(slot), self.slot_stride(), 0.0F);
    for (const std::int64_t chunk : self.deal.slot(slot)) {
      const auto texts = self.deal.texts(self.deal.chunks()[static_cast<std::size_t>(chunk)]);
      self.forward_backward_chunk(input, texts, slot, worker, middle, row_gradient);
    }
  });
  if (self.plan.steps.empty()) return;
  self.add_slots();
  self.parameters.add_gradients(self.slot_data(0), self.values, gradients);
}

std::vector<std::string_view> FusedDiffusion::instruction_sets() {
  std::vector<std::string_view> names;
  for (const cpu::Kernels* kernels : cpu::available_kernels()) names.push_back(kernels->name);
  return names;
}

void drop_tokens(const RandomPlace& place, double probability, std::int32_t mask_id,
                 std::span<std::int32_t> ids) {
  constexpr std::int64_t kRows = 128;
  constexpr std::int64_t kWidth = 8;  // the first of these is used
  const cpu::Kernels& kernels = cpu::kernels_of({});
  const std::uint32_t kept = keep_threshold(probability);
  std::uint16_t bits[(kRows + 8 * cpu::kUnit) * kWidth];
  const auto count = static_cast<std::int64_t>(ids.size());
  for (std::int64_t first = 0; first < count; first += kRows) {
    const std::int64_t rows = std::min(kRows, count - first);
    kernels.draw_halves(place, RandomStream::token_dropout, {first, rows}, kWidth, bits);
    for (std::int64_t i = 0; i < rows; ++i)
      if (bits[i * kWidth] >= kept) ids[static_cast<std::size_t>(first + i)] = mask_id;
  }
}

}  // namespace diffuse
