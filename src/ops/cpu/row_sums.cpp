#include "diffuse/ops/row_sums.hpp"

#include <algorithm>
#include <numeric>

#include "diffuse/ops/row_update.hpp"
#include "kernels.hpp"

namespace diffuse {
namespace {

/// Distinct rows of a task; sums of squares are added in tasks' order, so it must not depend on the
/// threads.
constexpr std::int64_t kTaskRows = 256;

}  // namespace

void RowSums::clear() {
  for (const std::int32_t id : distinct_) place_[static_cast<std::size_t>(id)] = -1;
  distinct_.clear();
  firsts_.clear();
  next_.clear();
  last_.clear();
}

void RowSums::append(std::span<const std::int32_t> ids) {
  const std::size_t before = next_.size();
  next_.resize(before + ids.size(), -1);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0) continue;
    const auto id = static_cast<std::size_t>(ids[i]);
    const auto at = static_cast<std::int32_t>(before + i);
    if (place_.size() <= id) place_.resize(id + id / 4 + 1, -1);
    if (place_[id] < 0) {
      place_[id] = static_cast<std::int32_t>(distinct_.size());
      distinct_.push_back(ids[i]);
      firsts_.push_back(at);
      last_.push_back(at);
    } else {
      std::int32_t& last = last_[static_cast<std::size_t>(place_[id])];
      next_[static_cast<std::size_t>(last)] = at;
      last = at;
    }
  }
}

/// The sum of the squares of what `sum_of(u)`, the sum of the distinct row number u, points to.
template <class Sum>
double RowSums::add_squares(WorkerPool& workers, const Sum& sum_of) {
  const cpu::Kernels& kernels = cpu::kernels_of({});
  const auto count = static_cast<std::int64_t>(distinct_.size());
  const std::int64_t tasks = (count + kTaskRows - 1) / kTaskRows;
  squares_.assign(static_cast<std::size_t>(tasks), 0.0);
  workers.run(tasks, [&](std::int64_t task, std::int64_t) {
    double squares = 0;
    const std::int64_t end = std::min(count, (task + 1) * kTaskRows);
    for (std::int64_t u = task * kTaskRows; u < end; ++u)
      squares += kernels.square_sum(sum_of(static_cast<std::size_t>(u)), dim_);
    squares_[static_cast<std::size_t>(task)] = squares;
  });
  return std::accumulate(squares_.begin(), squares_.end(), 0.0);
}

double RowSums::add_up(WorkerPool& workers, float* gradients) {
  const cpu::Kernels& kernels = cpu::kernels_of({});
  positions_.assign(firsts_.begin(), firsts_.end());
  sums_ = gradients;
  return add_squares(workers, [&](std::size_t u) {
    const auto first = static_cast<std::size_t>(firsts_[u]);
    float* sum = gradients + firsts_[u] * dim_;
    for (std::int32_t i = next_[first]; i >= 0; i = next_[static_cast<std::size_t>(i)])
      kernels.add(sum, gradients + i * dim_, dim_);
    return sum;
  });
}

double RowSums::add_up_apart(WorkerPool& workers, const float* gradients, float scale) {
  const cpu::Kernels& kernels = cpu::kernels_of({});
  positions_.resize(distinct_.size());
  std::iota(positions_.begin(), positions_.end(), 0);
  const std::size_t floats = distinct_.size() * static_cast<std::size_t>(dim_);
  if (own_sums_.size() < floats) own_sums_.resize(floats + floats / 4);
  sums_ = own_sums_.data();
  return add_squares(workers, [&](std::size_t u) {
    const auto first = static_cast<std::size_t>(firsts_[u]);
    float* sum = sums_ + static_cast<std::int64_t>(u) * dim_;
    std::copy_n(gradients + firsts_[u] * dim_, dim_, sum);
    for (std::int32_t i = next_[first]; i >= 0; i = next_[static_cast<std::size_t>(i)])
      kernels.add(sum, gradients + i * dim_, dim_);
    if (scale != 1.0F)
      for (std::int64_t c = 0; c < dim_; ++c) sum[c] *= scale;
    return sum;
  });
}

void update_row(const RowUpdate& rule, const RowAbsence& absence, std::span<const float> gradient,
                const RowState& row) {
  cpu::kernels_of({}).update_row(rule, absence, gradient.data(),
                                 static_cast<std::int64_t>(gradient.size()), row);
}

void follow_tail(const RowTail& tail, std::int64_t count, const RowState& row, float* to) {
  cpu::kernels_of({}).follow_tail(tail, count, row, to);
}

}  // namespace diffuse
