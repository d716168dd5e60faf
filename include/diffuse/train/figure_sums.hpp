#pragma once

#include <cstdint>
#include <optional>

namespace diffuse {

/// Sums over updates.
struct FigureSums {
  double loss_sum = 0;  ///< over examples, so that a small last batch counts by its size
  double correct = 0;
  std::int64_t examples = 0;
  std::int64_t tokens = 0;
  std::int64_t skipped_updates = 0;  ///< whose gradients overflowed float16

  /// Absent without examples.
  std::optional<double> mean_loss() const;
  std::optional<double> accuracy() const;
};

}  // namespace diffuse
