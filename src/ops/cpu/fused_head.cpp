#include "diffuse/ops/fused_head.hpp"

#include <algorithm>
#include <vector>

#include "kernels.hpp"
#include "packing.hpp"

namespace diffuse {
namespace {

using cpu::padded;

// Behind each array: random numbers come some at a time.
constexpr std::int64_t kSlack = 8 * cpu::kUnit;

}  // namespace

struct FusedHead::Implementation {
  /// A thread's memory.
  class OwnMemory {
   public:
    const cpu::HeadMemory& arrange(const cpu::HeadPlan& plan, std::int64_t n, bool keep) {
      const std::int64_t inputs = n * plan.input;
      const std::int64_t hidden = n * plan.hidden;
      const std::int64_t logits = n * plan.classes;
      buffer_.reserve(4 * inputs + 5 * hidden + logits + plan.classes + 9 * kSlack);
      float* at = buffer_.data();
      const auto take = [&at](std::int64_t count) {
        float* const from = at;
        at += padded(count) + kSlack;
        return from;
      };
      memory_.input = take(inputs);
      memory_.hidden = take(hidden);
      memory_.logits = take(logits);
      memory_.label_memory = take(keep ? plan.classes : 0);
      memory_.slope = keep ? take(hidden) : nullptr;
      memory_.input_gradient = take(keep ? inputs : 0);
      memory_.hidden_gradient = take(keep ? hidden : 0);
      memory_.input_bits = reinterpret_cast<std::uint16_t*>(take(keep ? (inputs + 1) / 2 : 0));
      memory_.hidden_bits = reinterpret_cast<std::uint16_t*>(take(keep ? (hidden + 1) / 2 : 0));
      return memory_;
    }

    std::vector<std::int64_t> texts{};  // numbers for a batch without any

   private:
    cpu::FloatBuffer buffer_;
    cpu::HeadMemory memory_{};
  };

  cpu::MatrixShape in_shape() const { return {plan.spec.hidden_dim, plan.spec.in_dim}; }
  cpu::MatrixShape out_shape() const {
    return {plan.spec.classes, plan.spec.hidden_dim > 0 ? plan.spec.hidden_dim : plan.spec.in_dim};
  }
  float* slot_data(std::int64_t slot) { return slots.data() + slot * plan.size; }

  /// Lays `pooled` out with padding.
  void read_input(const float* pooled, std::int64_t n, const cpu::HeadMemory& to) const {
    cpu::copy_rows(pooled, plan.spec.in_dim, n, plan.spec.in_dim, to.input, plan.input);
    if (plan.input == plan.spec.in_dim) return;
    for (std::int64_t i = 0; i < n; ++i)
      std::fill(to.input + i * plan.input + plan.spec.in_dim, to.input + (i + 1) * plan.input,
                0.0F);
  }

  cpu::HeadPlan plan;
  const cpu::Kernels* kernels = nullptr;
  std::vector<OwnMemory> memory;
  cpu::FloatBuffer packed;
  cpu::FloatBuffer slots;
  std::vector<HeadFigures> figures;
  TrainingBatch batch;
};

FusedHead::FusedHead(const HeadSpec& spec, std::int64_t workers, std::string_view instructions)
    : self_(std::make_unique<Implementation>()) {
  self_->kernels = &cpu::kernels_of(instructions);
  self_->memory.resize(static_cast<std::size_t>(workers));
  self_->plan.spec = spec;
  set_classes(spec.classes);
}

void FusedHead::set_classes(std::int64_t classes) {
  cpu::HeadPlan& plan = self_->plan;
  plan.spec.classes = classes;
  plan.input = padded(plan.spec.in_dim);
  plan.hidden = padded(plan.spec.hidden_dim);
  plan.classes = padded(classes);
  plan.in_at = 0;
  plan.in_bias_at = self_->in_shape().size();
  plan.out_at = plan.in_bias_at + plan.hidden;
  plan.out_bias_at = plan.out_at + self_->out_shape().size();
  plan.size = plan.out_bias_at + plan.classes;
}

FusedHead::~FusedHead() = default;

void FusedHead::set_parameters(const HeadPointers<const float>& values) {
  cpu::HeadPlan& plan = self_->plan;
  const cpu::MatrixShape in = self_->in_shape();
  const cpu::MatrixShape out = self_->out_shape();
  self_->packed.reserve(2 * in.size() + 2 * out.size() + plan.hidden + plan.classes);
  float* at = self_->packed.data();
  const auto take = [&at](std::int64_t count) {
    float* const from = at;
    at += count;
    return from;
  };
  if (plan.hidden > 0) {
    plan.in = cpu::pack_panels(values.in_weight, in, take(in.size()));
    plan.in_back = cpu::pack_transposed(values.in_weight, in, take(in.size()));
    plan.in_bias = cpu::pack_vector(values.in_bias, plan.spec.hidden_dim, take(plan.hidden));
  }
  plan.out = cpu::pack_panels(values.out_weight, out, take(out.size()));
  plan.out_back = cpu::pack_transposed(values.out_weight, out, take(out.size()));
  plan.out_bias = cpu::pack_vector(values.out_bias, plan.spec.classes, take(plan.classes));
}

void FusedHead::forward(std::int64_t worker, std::int64_t n, const float* pooled, float* logits) {
  Implementation::OwnMemory& own = self_->memory[static_cast<std::size_t>(worker)];
  const cpu::HeadMemory& memory = own.arrange(self_->plan, n, false);
  self_->read_input(pooled, n, memory);
  own.texts.resize(static_cast<std::size_t>(n));
  self_->kernels->head_forward(self_->plan, {.texts = own.texts}, memory);
  cpu::copy_rows(memory.logits, self_->plan.classes, n, self_->plan.spec.classes, logits,
                 self_->plan.spec.classes);
}

void FusedHead::begin(const TrainingBatch& batch, std::int64_t slots) {
  self_->batch = batch;
  self_->plan.label_smoothing = batch.label_smoothing;
  self_->figures.assign(static_cast<std::size_t>(slots), {});
  self_->slots.reserve(slots * self_->plan.size);
  std::fill_n(self_->slots.data(), slots * self_->plan.size, 0.0F);
}

void FusedHead::add_gradients(std::int64_t worker, std::int64_t slot,
                              std::span<const std::int64_t> texts, const float* pooled,
                              float* gradient) {
  const cpu::HeadPlan& plan = self_->plan;
  const auto n = static_cast<std::int64_t>(texts.size());
  const cpu::HeadMemory& memory =
      self_->memory[static_cast<std::size_t>(worker)].arrange(plan, n, true);
  self_->read_input(pooled, n, memory);
  const cpu::HeadBatch batch{.texts = texts,
                             .labels = self_->batch.labels,
                             .distributions = self_->batch.distributions,
                             .several = self_->batch.several,
                             .weights = self_->batch.weights,
                             .weight = self_->batch.weight,
                             .random = self_->batch.random};
  self_->kernels->head_forward(plan, batch, memory);
  const HeadFigures figures =
      self_->kernels->head_backward(plan, batch, memory, self_->slot_data(slot));
  HeadFigures& sum = self_->figures[static_cast<std::size_t>(slot)];
  sum.loss += figures.loss;
  sum.correct += figures.correct;
  cpu::copy_rows(memory.input_gradient, plan.input, n, plan.spec.in_dim, gradient,
                 plan.spec.in_dim);
}

HeadFigures FusedHead::end(const HeadPointers<float>& gradients) {
  const cpu::HeadPlan& plan = self_->plan;
  HeadFigures sum;
  for (std::size_t s = 0; s < self_->figures.size(); ++s) {
    sum.loss += self_->figures[s].loss;
    sum.correct += self_->figures[s].correct;
    if (s > 0)
      self_->kernels->add(self_->slot_data(0), self_->slot_data(static_cast<std::int64_t>(s)),
                          plan.size);
  }
  const float* from = self_->slot_data(0);
  if (plan.hidden > 0) {
    cpu::add_matrix(from + plan.in_at, self_->in_shape(), gradients.in_weight);
    cpu::add_vector(from + plan.in_bias_at, plan.spec.hidden_dim, gradients.in_bias);
  }
  cpu::add_matrix(from + plan.out_at, self_->out_shape(), gradients.out_weight);
  cpu::add_vector(from + plan.out_bias_at, plan.spec.classes, gradients.out_bias);
  return sum;
}

std::int64_t FusedHead::slot_size() const { return self_->plan.size; }

}  // namespace diffuse
