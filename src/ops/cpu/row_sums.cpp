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
  tokens_.clear();
  for (const std::int32_t id : distinct_) place_[static_cast<std::size_t>(id)] = -1;
  distinct_.clear();
  positions_.clear();
  next_.clear();
  last_.clear();
}

float* RowSums::append(std::span<const std::int32_t> ids) {
  const std::size_t before = tokens_.size();
  tokens_.insert(tokens_.end(), ids.begin(), ids.end());
  const std::size_t floats = tokens_.size() * static_cast<std::size_t>(dim_);
  if (rows_.size() < floats) rows_.resize(floats + floats / 4);
  next_.resize(tokens_.size(), -1);
  for (std::size_t i = before; i < tokens_.size(); ++i) {
    const auto id = static_cast<std::size_t>(tokens_[i]);
    const auto at = static_cast<std::int32_t>(i);
    if (place_.size() <= id) place_.resize(id + id / 4 + 1, -1);
    if (place_[id] < 0) {
      place_[id] = static_cast<std::int32_t>(distinct_.size());
      distinct_.push_back(tokens_[i]);
      positions_.push_back(at);
      last_.push_back(at);
    } else {
      std::int32_t& last = last_[static_cast<std::size_t>(place_[id])];
      next_[static_cast<std::size_t>(last)] = at;
      last = at;
    }
  }
  return rows_.data() + before * static_cast<std::size_t>(dim_);
}

double RowSums::add_up(WorkerPool& workers) {
  const cpu::Kernels& kernels = cpu::kernels_of({});
  const auto count = static_cast<std::int64_t>(distinct_.size());
  const std::int64_t tasks = (count + kTaskRows - 1) / kTaskRows;
  squares_.assign(static_cast<std::size_t>(tasks), 0.0);
  workers.run(tasks, [&](std::int64_t task, std::int64_t) {
    double squares = 0;
    const std::int64_t end = std::min(count, (task + 1) * kTaskRows);
    for (std::int64_t u = task * kTaskRows; u < end; ++u) {
      const std::int32_t first = positions_[static_cast<std::size_t>(u)];
      float* sum = rows_.data() + first * dim_;
      for (std::int32_t i = next_[static_cast<std::size_t>(first)]; i >= 0;
           i = next_[static_cast<std::size_t>(i)])
        kernels.add(sum, rows_.data() + i * dim_, dim_);
      squares += kernels.square_sum(sum, dim_);
    }
    squares_[static_cast<std::size_t>(task)] = squares;
  });
  return std::accumulate(squares_.begin(), squares_.end(), 0.0);
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
