#include "cpu_row_adamw.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/zeros_like.h>

#include "adamw_of_tensors.hpp"
#include "initial_state_of_tensors.hpp"
#include "sum_of_rows.hpp"
#include "types_of_elements.hpp"

namespace diffuse::cpu {
namespace {

/// Calls `work(place, id)` for each row of a run, or for each row of the table, on all threads.
template <class Work>
void for_rows(const std::int32_t* ids, std::int64_t count, const Work& work) {
  constexpr std::int64_t kTask = 64;
  at::parallel_for(0, count, kTask, [&](std::int64_t from, std::int64_t to) {
    for (std::int64_t place = from; place < to; ++place)
      if (const std::int64_t id = rows::row_at(ids, place); id >= 0) work(place, id);
  });
}

}  // namespace

at::Tensor sum_runs(const at::Tensor& from, const at::Tensor& ids, const at::Tensor& order,
                    double scale) {
  at::Tensor result = at::zeros_like(from);
  with_sums(from, [&](auto sum) {
    using A = decltype(sum);
    rows::SortedRows<A> sorted = sorted_rows<A>(from, ids, order, scale);
    sorted.by_place = true;
    add_sorted_rows(sorted, result.mutable_data_ptr<A>());
  });
  return result;
}

void follow_rows(const at::Tensor& values, const at::Tensor& moment1, const at::Tensor& moment2,
                 const at::Tensor& last, const at::Tensor& clock,
                 const std::optional<at::Tensor>& ids, bool present, at::ArrayRef<double> rule) {
  const rows::AdamWTable table = adamw_table(values, moment1, moment2, last, clock, rule);
  const std::int32_t through = table.clock->update - (present ? 0 : 1);
  for_rows(ids_of(ids), ids ? ids->size(0) : values.size(0), [&](std::int64_t, std::int64_t id) {
    const std::int32_t before = table.last[id];
    if (before >= through) return;
    for (std::int64_t channel = 0; channel < table.dim; ++channel)
      rows::follow_element(table, id, channel, before, through);
    table.last[id] = through;
  });
}

void update_rows(const at::Tensor& values, const at::Tensor& moment1, const at::Tensor& moment2,
                 const at::Tensor& last, const at::Tensor& clock, const at::Tensor& ids,
                 const at::Tensor& gradient, const std::optional<at::Tensor>& divisor,
                 at::ArrayRef<double> rule) {
  const rows::AdamWTable table = adamw_table(values, moment1, moment2, last, clock, rule);
  const auto* from = gradient.const_data_ptr<float>();
  const float by = divisor ? *divisor->const_data_ptr<float>() : 1.0F;
  for_rows(ids_of(ids), ids.size(0), [&](std::int64_t place, std::int64_t id) {
    for (std::int64_t channel = 0; channel < table.dim; ++channel)
      rows::update_element(table, id, channel, from[place * table.dim + channel] / by);
    table.last[id] = table.clock->update;
  });
}

}  // namespace diffuse::cpu
