#include "diffuse/ops/dispatched/text_rows.hpp"

#include <ATen/ops/empty.h>
#include <fmt/core.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "cpu_text_rows.hpp"
#include "diffuse/base/error.hpp"
#include "operation.hpp"
#include "ops/rows/neighbour_mix.hpp"

TORCH_LIBRARY_FRAGMENT(diffuse, library) {
  library.def("text_of_rows(Tensor offsets, int rows) -> Tensor");
  library.def(
      "neighbour_mix(Tensor values, Tensor base, Tensor weight, Tensor? keep, float keep_value, "
      "float share, Tensor offsets, Tensor of_row, int[] shifts) -> Tensor");
  library.def(
      "neighbour_mix_backward(Tensor gradient, Tensor values, Tensor base, Tensor weight, Tensor? "
      "keep, float keep_value, float share, Tensor offsets, Tensor of_row, int[] shifts) -> "
      "(Tensor, Tensor, Tensor, Tensor)");
  library.def("neighbour_rows(Tensor values, Tensor offsets, Tensor of_row, int shift) -> Tensor");
  library.def("pool_texts(Tensor rows, Tensor offsets, bool mean, bool most) -> (Tensor, Tensor)");
  library.def(
      "pool_texts_backward(Tensor gradient, Tensor rows, Tensor pooled, Tensor ties, Tensor "
      "offsets, Tensor of_row, bool mean, bool most) -> Tensor");
}

TORCH_LIBRARY_IMPL(diffuse, CPU, library) {
  library.impl("text_of_rows", &diffuse::cpu::text_of_rows);
  library.impl("neighbour_mix", &diffuse::cpu::neighbour_mix);
  library.impl("neighbour_mix_backward", &diffuse::cpu::neighbour_mix_backward);
  library.impl("neighbour_rows", &diffuse::cpu::neighbour_rows);
  library.impl("pool_texts", &diffuse::cpu::pool_texts);
  library.impl("pool_texts_backward", &diffuse::cpu::pool_texts_backward);
}

namespace diffuse {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// `keep` [D]; of no elements: `keep_value` in its place.
class NeighbourMix : public torch::autograd::Function<NeighbourMix> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& values,
                            const at::Tensor& base, const at::Tensor& weight,
                            const at::Tensor& keep, double keep_value, double share,
                            const TextRows& texts, const std::vector<std::int64_t>& shifts) {
    static const auto call = operation("diffuse::neighbour_mix", &cpu::neighbour_mix);
    const at::AutoDispatchBelowADInplaceOrView below;
    context->save_for_backward({values, base, weight, keep, texts.offsets, texts.of_row});
    context->saved_data["keep_value"] = keep_value;
    context->saved_data["share"] = share;
    context->saved_data["shifts"] = shifts;
    return call.call(values, base, weight, optional(keep), keep_value, share, texts.offsets,
                     texts.of_row, shifts);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    static const auto call =
        operation("diffuse::neighbour_mix_backward", &cpu::neighbour_mix_backward);
    const variable_list saved = context->get_saved_variables();
    const std::vector<std::int64_t> shifts = context->saved_data["shifts"].toIntVector();
    auto [values, base, weight, keep] =
        call.call(gradients[0].contiguous(), saved[0], saved[1], saved[2], optional(saved[3]),
                  context->saved_data["keep_value"].toDouble(),
                  context->saved_data["share"].toDouble(), saved[4], saved[5], shifts);
    if (saved[2].dim() == 1) weight = weight.sum(1);
    return {values, base, weight, keep, {}, {}, {}, {}};
  }

 private:
  static std::optional<at::Tensor> optional(const at::Tensor& keep) {
    return keep.numel() > 0 ? std::optional(keep) : std::nullopt;
  }
};

at::Tensor call_neighbour_rows(const at::Tensor& values, const at::Tensor& offsets,
                               const at::Tensor& of_row, std::int64_t shift) {
  static const auto call = operation("diffuse::neighbour_rows", &cpu::neighbour_rows);
  return call.call(values, offsets, of_row, shift);
}

class NeighbourRows : public torch::autograd::Function<NeighbourRows> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& values,
                            const at::Tensor& offsets, const at::Tensor& of_row,
                            std::int64_t shift) {
    const at::AutoDispatchBelowADInplaceOrView below;
    context->save_for_backward({offsets, of_row});
    context->saved_data["shift"] = shift;
    return call_neighbour_rows(values, offsets, of_row, shift);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    return {call_neighbour_rows(gradients[0].contiguous(), saved[0], saved[1],
                                -context->saved_data["shift"].toInt()),
            {},
            {},
            {}};
  }
};

class PoolTexts : public torch::autograd::Function<PoolTexts> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& rows,
                            const at::Tensor& offsets, const at::Tensor& of_row, bool mean,
                            bool most) {
    static const auto call = operation("diffuse::pool_texts", &cpu::pool_texts);
    const at::AutoDispatchBelowADInplaceOrView below;
    auto [pooled, ties] = call.call(rows, offsets, mean, most);
    context->save_for_backward({rows, pooled, ties, offsets, of_row});
    context->saved_data["mean"] = mean;
    context->saved_data["most"] = most;
    return pooled;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    static const auto call = operation("diffuse::pool_texts_backward", &cpu::pool_texts_backward);
    const variable_list saved = context->get_saved_variables();
    return {call.call(gradients[0].contiguous(), saved[0], saved[1], saved[2], saved[3], saved[4],
                      context->saved_data["mean"].toBool(), context->saved_data["most"].toBool()),
            {},
            {},
            {},
            {}};
  }
};

static_assert(kMostMixed == rows::Shifts::kMost);

void check_mix(const at::Tensor& values, const at::Tensor& base, const at::Tensor& weight,
               std::size_t shifts) {
  const at::ScalarType type = values.scalar_type();
  const bool known =
      type == at::kDouble || type == at::kFloat || type == at::kBFloat16 || type == at::kHalf;
  const at::ScalarType sums = type == at::kDouble ? at::kDouble : at::kFloat;
  const auto count = static_cast<std::int64_t>(shifts);
  const std::int64_t dim = values.dim() == 2 ? values.size(1) : 0;
  const bool fits = dim > 0 && base.sizes() == values.sizes() && count > 0 &&
                    shifts <= kMostMixed && (weight.dim() == 1 || weight.dim() == 2) &&
                    weight.size(0) == count && (weight.dim() == 1 || weight.size(1) == dim);
  if (!known || base.scalar_type() != sums || weight.scalar_type() != sums || !fits)
    throw Error(fmt::format(
        "neighbour_mix: values and base must be [N, D], weight [{0}] or [{0}, D] for {0} shifts "
        "(1 to {1}), and all but the values in the type of sums.",
        shifts, kMostMixed));
}

at::Tensor apply_mix(const at::Tensor& values, const at::Tensor& base, const at::Tensor& weight,
                     const at::Tensor& keep, double keep_value, double share, const TextRows& texts,
                     std::span<const std::int64_t> shifts) {
  return NeighbourMix::apply(values.contiguous(), base.contiguous(), weight.contiguous(), keep,
                             keep_value, share, texts, std::vector(shifts.begin(), shifts.end()));
}

}  // namespace

TextRows::TextRows(at::Tensor row_offsets, std::int64_t rows) : offsets(std::move(row_offsets)) {
  static const auto call = operation("diffuse::text_of_rows", &cpu::text_of_rows);
  of_row = call.call(offsets, rows);
}

at::Tensor neighbour_mix(const at::Tensor& values, const at::Tensor& base, const at::Tensor& weight,
                         const at::Tensor& keep, const TextRows& texts,
                         std::span<const std::int64_t> shifts) {
  check_mix(values, base, weight, shifts.size());
  const std::int64_t dim = values.size(1);
  if (keep.scalar_type() != base.scalar_type() || (keep.numel() != 1 && keep.numel() != dim))
    throw Error("neighbour_mix: keep must be a number or [D], in the type of sums.");
  return apply_mix(values, base, weight, keep.reshape({-1}).expand({dim}).contiguous(), 0, 1, texts,
                   shifts);
}

at::Tensor neighbour_blend(const at::Tensor& values, const at::Tensor& base,
                           const at::Tensor& weight, double alpha, const TextRows& texts,
                           std::span<const std::int64_t> shifts) {
  check_mix(values, base, weight, shifts.size());
  return apply_mix(values, base, weight, at::empty({0}, base.options().requires_grad(false)), alpha,
                   1.0 - alpha, texts, shifts);
}

at::Tensor neighbour_rows(const at::Tensor& values, const TextRows& texts, std::int64_t shift) {
  return NeighbourRows::apply(values.contiguous(), texts.offsets, texts.of_row, shift);
}

at::Tensor pool_texts(const at::Tensor& rows, const TextRows& texts, Pooling pooling) {
  return PoolTexts::apply(rows.contiguous(), texts.offsets, texts.of_row, pooling != Pooling::max,
                          pooling != Pooling::mean);
}

}  // namespace diffuse
