#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "diffuse/base/worker_pool.hpp"

namespace diffuse {

/// Adds up the gradients of a table's rows where a batch has a token several times: each distinct
/// row's sum, in the order of the tokens, takes the place of the first one's.
class RowSums {
 public:
  /// `dim`: floats of a row.
  explicit RowSums(std::int64_t dim) : dim_(dim) {}

  /// Forgets the rows.
  void clear();
  /// Room for the gradients of `ids`, behind those that are there already.
  float* append(std::span<const std::int32_t> ids);
  /// Adds up; returns the sum of all squares. What was appended before is one gradient.
  double add_up(WorkerPool& workers);

  std::span<const std::int32_t> ids() const { return distinct_; }         ///< by appearance
  std::span<const std::int32_t> positions() const { return positions_; }  ///< of their sums
  float* rows() { return rows_.data(); }

 private:
  std::int64_t dim_;
  std::vector<std::int32_t> tokens_;
  std::vector<float> rows_;  // [N, dim], may be longer
  std::vector<std::int32_t> distinct_;
  std::vector<std::int32_t> positions_;
  std::vector<std::int32_t> next_;   // [N] the next token with the same row, or -1
  std::vector<std::int32_t> last_;   // of each distinct row, its last token
  std::vector<std::int32_t> place_;  // of each row of the table, among the distinct, or -1
  std::vector<double> squares_;
};

}  // namespace diffuse
