#include <ATen/ops/arange.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "checks.hpp"
#include "diffuse/ops/dispatched/row_adamw.hpp"

namespace diffuse {
namespace {

constexpr RowAdamWRule kRule{.epsilon = 1e-3, .weight_decay = 0.01, .lr_factor = 0.5};
constexpr double kScale = 1.5;
constexpr double kDivisor = 2;

double rate_of(std::int32_t update) { return 0.1 / update; }

/// An update of all rows in float64.
void dense_update(const at::Tensor& values, const at::Tensor& moment1, const at::Tensor& moment2,
                  const at::Tensor& gradient, std::int32_t update) {
  const double rate = rate_of(update) * kRule.lr_factor;
  moment1.mul_(kRule.beta1).add_(gradient, 1 - kRule.beta1);
  moment2.mul_(kRule.beta2).addcmul_(gradient, gradient, 1 - kRule.beta2);
  const at::Tensor root =
      moment2.div(1 - std::pow(kRule.beta2, update)).sqrt_().add_(kRule.epsilon);
  values.mul_(1 - rate * kRule.weight_decay)
      .addcdiv_(moment1, root, -rate / (1 - std::pow(kRule.beta1, update)));
}

/// Some words, of which each update has others; a few are none.
at::Tensor ids_of(std::int64_t rows, std::int64_t words, std::int32_t update) {
  const at::Tensor places = at::arange(rows, at::kLong);
  return places.mul(places.add(update)).remainder(words).sub(1).to(at::kInt);
}

}  // namespace

void check_row_adamw(const CheckedBatch& batch, Checks& checks) {
  constexpr std::int32_t kUpdates = 9;
  const std::int64_t words = 5 + batch.rows() / 3;
  const at::Tensor exact[] = {random_numbers({words, batch.dim}, 31).to(at::kFloat).to(at::kDouble),
                              at::zeros({words, batch.dim}, at::kDouble),
                              at::zeros({words, batch.dim}, at::kDouble)};
  const auto on_device = [&](const at::Tensor& tensor) {
    return tensor.to(checks.device(), at::kFloat, /*non_blocking=*/false, /*copy=*/true);
  };
  const RowAdamWState state{on_device(exact[0]), on_device(exact[1]), on_device(exact[2]),
                            at::zeros({words}, at::TensorOptions(checks.device()).dtype(at::kInt))};
  const at::Tensor divisor = on_device(at::zeros({}, at::kDouble).fill_(kDivisor));
  AdamWClock clock;
  for (std::int32_t update = 1; update <= kUpdates; ++update) {
    clock.note(rate_of(update), kRule.beta1, kRule.beta2);
    const at::Tensor there = clock_on(clock, checks.device());
    const at::Tensor ids = ids_of(batch.rows(), words, update);
    const at::Tensor rows =
        random_numbers({batch.rows(), batch.dim}, static_cast<std::uint64_t>(update))
            .to(at::kFloat);
    const SortedIds sorted = sort_ids(ids.to(checks.device()));
    follow_updates(state, kRule, there, sorted);
    update_rows(state, kRule, there, sorted, run_sums(rows.to(checks.device()), sorted, kScale),
                divisor);
    // Those of no row go to one that is left out.
    at::Tensor sums = at::zeros({words + 1, batch.dim}, at::kDouble);
    sums.index_add_(0, ids.to(at::kLong).add(1), rows.to(at::kDouble), kScale / kDivisor);
    dense_update(exact[0], exact[1], exact[2], sums.narrow(0, 1, words), update);
  }
  follow_all_updates(state, kRule, clock_on(clock, checks.device()));
  checks.add("row_adamw", state.values, exact[0], batch, at::kFloat);
  checks.add("row_adamw, first moment", state.moment1, exact[1], batch, at::kFloat);
  checks.add("row_adamw, second moment", state.moment2, exact[2], batch, at::kFloat);
}

}  // namespace diffuse
