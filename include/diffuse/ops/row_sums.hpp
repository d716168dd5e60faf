#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "diffuse/base/worker_pool.hpp"

namespace diffuse {

/// Adds up the gradients of a table's rows where batches have a row several times, in the order of
/// the tokens.
class RowSums {
 public:
  /// `dim`: floats of a row.
  explicit RowSums(std::int64_t dim) : dim_(dim) {}

  /// Forgets the rows.
  void clear();
  /// Notes the rows of a batch's tokens, -1 for none, behind those that are noted already.
  void append(std::span<const std::int32_t> ids);
  /// Adds up `gradients` `[N, dim]`, those of all tokens noted; each distinct row's sum takes the
  /// place of its first one's. Returns the sum of all squares. What was noted is one gradient.
  double add_up(WorkerPool& workers, float* gradients);
  /// The same, but leaves `gradients` as they are and multiplies the sums by `scale`.
  double add_up_apart(WorkerPool& workers, const float* gradients, float scale);

  std::span<const std::int32_t> ids() const { return distinct_; }  ///< by appearance
  /// Of their sums among rows().
  std::span<const std::int32_t> positions() const { return positions_; }
  float* rows() const { return sums_; }

 private:
  std::int64_t dim_;
  template <class Sum>
  double add_squares(WorkerPool& workers, const Sum& sum_of);

  std::vector<std::int32_t> distinct_;
  std::vector<std::int32_t> firsts_;  // of each distinct row, its first token
  std::vector<std::int32_t> positions_;
  float* sums_ = nullptr;
  std::vector<float> own_sums_;      // of add_up_apart
  std::vector<std::int32_t> next_;   // [N] the next token with the same row, or -1
  std::vector<std::int32_t> last_;   // of each distinct row, its last token
  std::vector<std::int32_t> place_;  // of each row of the table, among the distinct, or -1
  std::vector<double> squares_;
};

}  // namespace diffuse
