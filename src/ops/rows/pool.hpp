#pragma once

#include <cstdint>

#include "ops/rows/chunks_of_rows.hpp"
#include "ops/rows/host_device.hpp"

namespace diffuse::rows {

/// What some rows of a text come to in one channel.
template <class A>
struct Pooled {
  A sum = 0;
  A most = 0;
  std::int32_t ties = 0;  ///< rows that have it; 0: no rows yet
};

/// A value that is not a number stays, as it does in LibTorch's maximum.
template <class A>
DIFFUSE_HOST_DEVICE inline Pooled<A> joined(const Pooled<A>& a, const Pooled<A>& b) {
  if (a.ties == 0) return b;
  if (b.ties == 0) return a;
  Pooled<A> both{a.sum + b.sum, a.most, a.ties};
  if (a.most == b.most) {
    both.ties += b.ties;
  } else if (a.most == a.most && !(b.most < a.most)) {
    both.most = b.most;
    both.ties = b.ties;
  }
  return both;
}

/// Rows `from` … `to` - 1 of one channel.
template <class A>
DIFFUSE_HOST_DEVICE inline Pooled<A> pooled_rows(const A* values, std::int64_t dim,
                                                 std::int64_t from, std::int64_t to,
                                                 std::int64_t channel) {
  Pooled<A> all;
  for (std::int64_t row = from; row < to; ++row) {
    const A value = values[row * dim + channel];
    all = joined(all, Pooled<A>{value, value, 1});
  }
  return all;
}

/// Part `part` of the text of rows `begin` … `end` - 1.
template <class A>
DIFFUSE_HOST_DEVICE inline Pooled<A> pooled_part(const A* values, std::int64_t dim,
                                                 std::int64_t begin, std::int64_t end, int part,
                                                 std::int64_t channel) {
  return pooled_rows(values, dim, begin + part_begin(end - begin, part),
                     begin + part_begin(end - begin, part + 1), channel);
}

/// What one element of the rows gets: its share of the mean's gradient, and of the maximum's where
/// it is one of the `ties` that have it. Either may be absent (0).
template <class A>
DIFFUSE_HOST_DEVICE inline A row_gradient(A mean_gradient, std::int64_t length, A value, A most,
                                          A most_gradient, std::int32_t ties) {
  A sum = mean_gradient / static_cast<A>(length);
  if (ties > 0 && value == most) sum += most_gradient / static_cast<A>(ties);
  return sum;
}

}  // namespace diffuse::rows
