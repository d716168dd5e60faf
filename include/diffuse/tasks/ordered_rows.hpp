#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "diffuse/base/worker_pool.hpp"

namespace diffuse {

/// Rows that are in memory at a time, and rows of a task of the pool's.
inline constexpr std::int64_t kRowsAtOnce = 2048;
inline constexpr std::int64_t kRowsOfTask = 32;

/// Makes the rows 0 … `rows` - 1 on all threads and gives them to `take` on this one, in their
/// order. `make` must depend on the number of the row alone. At most kRowsAtOnce rows are in
/// memory.
template <class Row>
void for_rows_in_order(std::int64_t rows, WorkerPool& pool,
                       const std::function<Row(std::int64_t)>& make,
                       const std::function<void(std::int64_t, Row&)>& take) {
  std::vector<Row> made(static_cast<std::size_t>(std::min(rows, kRowsAtOnce)));
  for (std::int64_t first = 0; first < rows; first += kRowsAtOnce) {
    const std::int64_t count = std::min(kRowsAtOnce, rows - first);
    pool.run((count + kRowsOfTask - 1) / kRowsOfTask, [&](std::int64_t task, std::int64_t) {
      const std::int64_t end = std::min(count, (task + 1) * kRowsOfTask);
      for (std::int64_t i = task * kRowsOfTask; i < end; ++i)
        made[static_cast<std::size_t>(i)] = make(first + i);
    });
    for (std::int64_t i = 0; i < count; ++i) take(first + i, made[static_cast<std::size_t>(i)]);
  }
}

}  // namespace diffuse
