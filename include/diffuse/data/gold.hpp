#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "diffuse/data/dataset.hpp"

namespace diffuse {

/// What stands in a file of predictions for the gold label of a class that the model lacks. No
/// class may be called so.
inline constexpr const char* kUnknownGold = "#unknown";

/// What n rows should be answered: one of C classes each, or any number of them.
struct Gold {
  std::int64_t classes = 0;  ///< C
  std::vector<std::int32_t>
      labels;                       ///< [n] EncodedDataset::label, -1: of a class that is not known
  bool several = false;             ///< what counts is not `labels` but `has`
  std::vector<std::uint8_t> has{};  ///< [n, C] of several labels: 1 where the row has the label
  std::vector<std::int32_t> unknown{};  ///< [n] of these, how many are of no class that is known

  std::size_t size() const { return labels.size(); }
  /// Of row `row`'s several labels, [C].
  std::span<const std::uint8_t> row(std::size_t row) const {
    return std::span(has).subspan(row * static_cast<std::size_t>(classes),
                                  static_cast<std::size_t>(classes));
  }
  /// The rows at `places`.
  Gold at(std::span<const std::size_t> places) const;
};

/// Of the rows of `view`, in its order.
Gold gold_of(const DatasetView& view, std::int64_t classes);

}  // namespace diffuse
