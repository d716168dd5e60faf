#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "diffuse/config/grid.hpp"
#include "diffuse/data/row_parts.hpp"
#include "grid.hpp"
#include "grid_rows.hpp"
#include "grid_store.hpp"

namespace diffuse::cli {

/// What `diffuse grid` has to train, checked.
struct GridPlan {
  Config base;  ///< that is varied
  GridSettings settings;
  Grid grid;
  /// Of data.test_fraction: the rows that all models are trained on, and those that none of them
  /// sees, by the base's seed. Empty: the test rows, if there are any, have a file.
  RowParts parts;
  /// Of which the validation rows are chosen for all combinations; nothing: each run's own split
  /// gives the same ones.
  std::optional<GridRows> rows{};

  /// The `number`th of `settings.seeds`, counted from 0.
  std::int64_t seed(std::int64_t number) const { return base.train.seed + number; }
  Config config(std::size_t combination, std::int64_t seed) const;
  /// `parts` for the runs, which test none of them.
  RowParts training_parts() const;
  /// Which records of the training file validate with the seed; empty: a run's own split says.
  std::vector<bool> validation(std::int64_t seed) const;
};

/// Checks the command line, the config, the values and every combination of them, as far as that
/// takes no data; reads the training file where a part of it is the test. Throws UsageError with
/// all faults at once.
GridPlan plan_grid(const GridOptions& options);

}  // namespace diffuse::cli
