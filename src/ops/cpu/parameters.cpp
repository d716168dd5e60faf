#include "parameters.hpp"

#include <algorithm>
#include <cmath>

namespace diffuse::cpu {
namespace {

/// Where a step's parts lie in the packed memory; see PackedStep.
enum Part {
  norm_weight,
  norm_bias,
  in,
  in_back,
  in_bias,
  out,
  out_back,
  out_bias,
  alpha,
  factor,
  mix,
  mix_back,
  part_count
};

MatrixShape in_shape(const DiffusionSpec& spec) {
  switch (spec.function) {
    case FunctionKind::linear:
      return {spec.dim, spec.dim};
    case FunctionKind::mlp:
      return {spec.hidden_dim, spec.dim};
    case FunctionKind::glu:
      break;
  }
  return {spec.hidden_dim, spec.dim, 2};
}

MatrixShape out_shape(const DiffusionSpec& spec) { return {spec.dim, spec.hidden_dim}; }

/// W_k of one step, [K, D, D], as one matrix [D, K · padded D].
MatrixShape mix_shape(const DiffusionSpec& spec) {
  return {spec.dim, spec.neighbours() * padded(spec.dim)};
}

void read_alpha(const DiffusionSpec& spec, const float* logits, std::vector<float>& to) {
  to.resize(static_cast<std::size_t>(spec.dim));
  for (std::size_t c = 0; c < to.size(); ++c)
    to[c] = spec.alpha ? static_cast<float>(*spec.alpha) : 1.0F / (1.0F + std::exp(-logits[c]));
}

}  // namespace

PackedParameters::PackedParameters(DiffusionPlan& plan, WorkerPool& pool)
    : plan_(plan), pool_(pool) {
  const DiffusionSpec& spec = plan.spec;
  const Widths& widths = plan.widths;
  const bool full = spec.weight == WeightKind::full;
  std::int64_t sizes[part_count] = {};
  sizes[norm_weight] = sizes[norm_bias] = widths.state;
  sizes[in] = sizes[in_back] = in_shape(spec).size();
  sizes[in_bias] = widths.in;
  sizes[out] = sizes[out_back] = widths.state * widths.hidden;
  sizes[out_bias] = sizes[alpha] = widths.state;
  (full ? sizes[mix] : sizes[factor]) = widths.mix;
  sizes[mix_back] = sizes[mix];
  std::int64_t total = 0;
  for (const std::int64_t size : sizes) total += size;
  const std::size_t sets = plan.gradients.sets.size();
  memory_.reserve(total * static_cast<std::int64_t>(sets) + kUnit);
  float* at = memory_.data();
  for (std::size_t t = 0; t < sets; ++t) {
    places_.emplace_back();
    for (const std::int64_t size : sizes) {
      places_.back().push_back(at);
      at += size;
    }
  }
  plan.packed.resize(sets);
  for (std::size_t t = 0; t < spec.shifts.size(); ++t) {
    const std::size_t set = spec.set_of(t);
    plan.steps.push_back({&plan.packed[set], &plan.gradients.sets[set], spec.shifts[t]});
  }
}

void PackedParameters::pack(std::span<const StepPointers<const float>> steps, bool gradients) {
  for (std::size_t t = 0; t < places_.size(); ++t) pack_step(t, steps[t], gradients);
}

void PackedParameters::pack_step(std::size_t index, const StepPointers<const float>& from,
                                 bool gradients) {
  const DiffusionSpec& spec = plan_.spec;
  const std::vector<float*>& at = places_[index];
  PackedStep& to = plan_.packed[index];
  if (spec.norm == NormPosition::post) {
    to.norm_weight = pack_vector(from.norm_weight, spec.dim, at[norm_weight]);
    to.norm_bias = pack_vector(from.norm_bias, spec.dim, at[norm_bias]);
  }
  const MatrixShape first = in_shape(spec);
  const float* weight = from.in_weight;
  const float* bias = from.in_bias;
  if (spec.norm == NormPosition::pre) {
    fold_norm(from);
    weight = folded_.data();
    bias = weight + first.output_groups * first.outputs * first.inputs;
  }
  to.in = ready(pack_panels(weight, first, at[in]), at[in]);
  if (gradients) to.in_back = ready(pack_transposed(weight, first, at[in_back]), at[in_back]);
  to.in_bias = pack_vector(bias, first.outputs, at[in_bias], first.output_groups);
  if (spec.function != FunctionKind::linear) {
    const MatrixShape second = out_shape(spec);
    to.out = ready(pack_panels(from.out_weight, second, at[out]), at[out]);
    if (gradients)
      to.out_back = ready(pack_transposed(from.out_weight, second, at[out_back]), at[out_back]);
    to.out_bias = pack_vector(from.out_bias, spec.dim, at[out_bias]);
  }
  read_alpha(spec, from.alpha_logit, alpha_);
  to.alpha = pack_vector(alpha_.data(), spec.dim, at[alpha]);
  if (spec.weight == WeightKind::full)
    pack_matrices(from.weight, gradients, at, to);
  else
    pack_factors(from.weight, at[factor], to);
}

// W · (factor ∘ xhat + shift) + bias = (W · factor) · xhat + (bias + W · shift).
void PackedParameters::fold_norm(const StepPointers<const float>& from) {
  const MatrixShape shape = in_shape(plan_.spec);
  const std::int64_t outputs = shape.output_groups * shape.outputs;
  const std::int64_t inputs = shape.inputs;
  folded_.resize(static_cast<std::size_t>(outputs * (inputs + 1)));
  for (std::int64_t o = 0; o < outputs; ++o) {
    const float* row = from.in_weight + o * inputs;
    float* to = folded_.data() + o * inputs;
    float shift = from.in_bias[o];
    for (std::int64_t i = 0; i < inputs; ++i) {
      to[i] = row[i] * from.norm_weight[i];
      shift += row[i] * from.norm_bias[i];
    }
    folded_[static_cast<std::size_t>(outputs * inputs + o)] = shift;
  }
}

/// The gradients of what fold_norm made become those of its parts.
void PackedParameters::add_folded_gradients(const float* matrix, const float* bias,
                                            const StepPointers<const float>& at,
                                            const StepPointers<float>& to) {
  const MatrixShape shape = in_shape(plan_.spec);
  const std::int64_t inputs = shape.inputs;
  for (std::int64_t g = 0; g < shape.output_groups; ++g) {
    for (std::int64_t o = 0; o < shape.outputs; ++o) {
      const std::int64_t row = g * padded(shape.outputs) + o;
      const float* d = matrix + row * shape.padded_inputs();
      const float shift = bias[row];
      const std::int64_t first = (g * shape.outputs + o) * inputs;
      for (std::int64_t i = 0; i < inputs; ++i) {
        to.in_weight[first + i] += at.norm_weight[i] * d[i] + at.norm_bias[i] * shift;
        to.norm_weight[i] += at.in_weight[first + i] * d[i];
        to.norm_bias[i] += at.in_weight[first + i] * shift;
      }
    }
  }
}

void PackedParameters::pack_matrices(const float* weight, bool gradients,
                                     const std::vector<float*>& at, PackedStep& to) {
  const DiffusionSpec& spec = plan_.spec;
  const MatrixShape shape = mix_shape(spec);
  side_by_side_.resize(static_cast<std::size_t>(spec.dim * shape.inputs));
  for_channels([&](RowSpan channels) {
    float* rows = side_by_side_.data() + channels.begin * shape.inputs;
    std::fill_n(rows, (channels.end - channels.begin) * shape.inputs, 0.0F);
    for (std::int64_t k = 0; k < spec.neighbours(); ++k)
      for (std::int64_t o = channels.begin; o < channels.end; ++o)
        for (std::int64_t i = 0; i < spec.dim; ++i)
          rows[(o - channels.begin) * shape.inputs + k * padded(spec.dim) + i] =
              (1.0F - alpha_[static_cast<std::size_t>(o)]) *
              weight[(k * spec.dim + o) * spec.dim + i];
    pack_panel_rows(rows, shape, channels, at[mix]);
    if (gradients) pack_transposed_rows(rows, shape, channels, at[mix_back]);
  });
  to.mix = ready(shape.panels(at[mix]), at[mix]);
  if (gradients) to.mix_back = ready(shape.transposed_panels(at[mix_back]), at[mix_back]);
}

/// Packed panels as the products read them: cells, where these are of bf16 numbers.
Panels PackedParameters::ready(const Panels& panels, float* data) {
  if (plan_.arithmetic == Arithmetic::single) return panels;
  const auto work = [&](std::int64_t panel, std::int64_t) {
    plan_.kernels.pair_panel(data + panel * panels.stride(), panels.depth);
  };
  constexpr std::int64_t kWorthThreads = std::int64_t{128} * 1024;  // numbers
  const std::int64_t count = panels.width / kUnit;
  if (panels.depth * panels.width >= kWorthThreads)
    pool_.run(count, work);
  else
    for (std::int64_t p = 0; p < count; ++p) work(p, 0);
  return panels;
}

/// Calls `work` for some channels at a time, on all threads.
void PackedParameters::for_channels(const std::function<void(RowSpan channels)>& work) {
  const std::int64_t dim = plan_.spec.dim;
  pool_.run((dim + kUnit - 1) / kUnit, [&](std::int64_t task, std::int64_t) {
    work({task * kUnit, std::min(dim, (task + 1) * kUnit)});
  });
}

void PackedParameters::pack_factors(const float* weight, float* at, PackedStep& to) {
  const DiffusionSpec& spec = plan_.spec;
  const std::int64_t width = plan_.widths.state;
  for (std::int64_t k = 0; k < spec.neighbours(); ++k) {
    for (std::int64_t c = 0; c < width; ++c) {
      at[k * width + c] = 0;
      if (c >= spec.dim) continue;
      const float own = weight[spec.weight == WeightKind::scalar ? k : k * spec.dim + c];
      at[k * width + c] = (1.0F - alpha_[static_cast<std::size_t>(c)]) * own;
    }
  }
  to.factor = at;
}

void PackedParameters::add_gradients(const float* slot,
                                     std::span<const StepPointers<const float>> steps,
                                     std::span<const StepPointers<float>> gradients) {
  const DiffusionSpec& spec = plan_.spec;
  for (std::size_t t = 0; t < plan_.gradients.sets.size(); ++t) {
    const GradientOffsets& from = plan_.gradients.sets[t];
    const StepPointers<float>& to = gradients[t];
    if (spec.norm == NormPosition::post) {
      add_vector(slot + from.norm_weight, spec.dim, to.norm_weight);
      add_vector(slot + from.norm_bias, spec.dim, to.norm_bias);
    }
    const MatrixShape first = in_shape(spec);
    if (spec.norm == NormPosition::pre)
      add_folded_gradients(slot + from.in, slot + from.in_bias, steps[t], to);
    else
      add_matrix(slot + from.in, first, to.in_weight);
    add_vector(slot + from.in_bias, first.outputs, to.in_bias, first.output_groups);
    if (spec.function != FunctionKind::linear) {
      add_matrix(slot + from.out, out_shape(spec), to.out_weight);
      add_vector(slot + from.out_bias, spec.dim, to.out_bias);
    }
    add_mix_gradients(slot + from.mix, slot + from.alpha, steps[t], to);
  }
}

// With F = (1 - alpha) · W: dW = (1 - alpha) · dF, and dalpha = sum of d · base - sum of W · dF.
void PackedParameters::add_mix_gradients(const float* mixed, const float* base_sums,
                                         const StepPointers<const float>& at,
                                         const StepPointers<float>& to) {
  const DiffusionSpec& spec = plan_.spec;
  const std::int64_t width = plan_.widths.state;
  const bool full = spec.weight == WeightKind::full;
  const std::int64_t inputs = full ? spec.dim : 1;
  read_alpha(spec, at.alpha_logit, alpha_);
  const auto add = [&](RowSpan channels) {
    for (std::int64_t c = channels.begin; c < channels.end; ++c) {
      const float share = alpha_[static_cast<std::size_t>(c)];
      float alpha_gradient = base_sums[c];
      for (std::int64_t k = 0; k < spec.neighbours(); ++k) {
        const float* d = full ? mixed + (c * spec.neighbours() + k) * width : mixed + k * width + c;
        const std::int64_t place =
            spec.weight == WeightKind::scalar ? k : (k * spec.dim + c) * inputs;
        for (std::int64_t i = 0; i < inputs; ++i) {
          if (to.weight != nullptr) to.weight[place + i] += (1.0F - share) * d[i];
          alpha_gradient -= at.weight[place + i] * d[i];
        }
      }
      if (to.alpha_logit != nullptr) to.alpha_logit[c] += alpha_gradient * share * (1.0F - share);
    }
  };
  // Only matrices are worth several threads, and channels share the scalars.
  full ? for_channels(add) : add({0, spec.dim});
}

}  // namespace diffuse::cpu
