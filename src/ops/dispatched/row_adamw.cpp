#include "diffuse/ops/dispatched/row_adamw.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/sort.h>
#include <torch/library.h>

#include <array>
#include <cstring>
#include <optional>

#include "cpu_row_adamw.hpp"
#include "diffuse/device/recording.hpp"
#include "operation.hpp"

TORCH_LIBRARY_FRAGMENT(diffuse, library) {
  library.def("sum_runs(Tensor source, Tensor ids, Tensor order, float scale) -> Tensor");
  library.def(
      "follow_rows(Tensor(a!) values, Tensor(b!) moment1, Tensor(c!) moment2, Tensor(d!) last, "
      "Tensor clock, Tensor? ids, bool present, float[] rule) -> ()");
  library.def(
      "update_rows(Tensor(a!) values, Tensor(b!) moment1, Tensor(c!) moment2, Tensor(d!) last, "
      "Tensor clock, Tensor ids, Tensor gradient, Tensor? divisor, float[] rule) -> ()");
}

TORCH_LIBRARY_IMPL(diffuse, CPU, library) {
  library.impl("sum_runs", &diffuse::cpu::sum_runs);
  library.impl("follow_rows", &diffuse::cpu::follow_rows);
  library.impl("update_rows", &diffuse::cpu::update_rows);
}

namespace diffuse {
namespace {

/// In the order that adamw_of_tensors.hpp reads.
std::array<double, 5> numbers_of(const RowAdamWRule& rule) {
  return {rule.beta1, rule.beta2, rule.epsilon, rule.weight_decay, rule.lr_factor};
}

void follow(const RowAdamWState& state, const RowAdamWRule& rule, const at::Tensor& clock,
            const std::optional<at::Tensor>& ids, bool present) {
  static const auto call = operation("diffuse::follow_rows", &cpu::follow_rows);
  const at::AutoDispatchBelowADInplaceOrView below;
  call.call(state.values, state.moment1, state.moment2, state.last_update, clock, ids, present,
            numbers_of(rule));
}

}  // namespace

SortedIds sort_ids(const at::Tensor& ids) {
  auto [sorted, order] = at::sort(ids, /*stable=*/true, 0, /*descending=*/false);
  return {sorted, order};
}

at::Tensor run_sums(const at::Tensor& rows, const SortedIds& ids, double scale) {
  static const auto call = operation("diffuse::sum_runs", &cpu::sum_runs);
  const at::AutoDispatchBelowADInplaceOrView below;
  return call.call(rows.contiguous(), ids.ids, ids.order, scale);
}

at::Tensor clock_on(const AdamWClock& clock, at::Device device) {
  at::Tensor words = at::empty({sizeof(AdamWClock) / sizeof(std::int32_t)},
                               at::TensorOptions(device).dtype(at::kInt));
  upload(words, [&](std::span<std::byte> to) { std::memcpy(to.data(), &clock, sizeof clock); });
  return words;
}

void follow_updates(const RowAdamWState& state, const RowAdamWRule& rule, const at::Tensor& clock,
                    const SortedIds& ids) {
  follow(state, rule, clock, ids.ids, /*present=*/false);
}

void follow_all_updates(const RowAdamWState& state, const RowAdamWRule& rule,
                        const at::Tensor& clock) {
  follow(state, rule, clock, std::nullopt, /*present=*/true);
}

void update_rows(const RowAdamWState& state, const RowAdamWRule& rule, const at::Tensor& clock,
                 const SortedIds& ids, const at::Tensor& gradient, const at::Tensor& divisor) {
  static const auto call = operation("diffuse::update_rows", &cpu::update_rows);
  const at::AutoDispatchBelowADInplaceOrView below;
  call.call(state.values, state.moment1, state.moment2, state.last_update, clock, ids.ids, gradient,
            divisor.defined() ? std::optional(divisor) : std::nullopt, numbers_of(rule));
}

}  // namespace diffuse
