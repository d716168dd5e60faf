#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "diffuse/config/grid.hpp"
#include "diffuse/data/row_parts.hpp"

namespace diffuse::cli {

/// The rows of a training file, of which a grid's validation rows are chosen for all of its
/// combinations at once.
struct GridRows {
  LabelledRows all;
  std::vector<bool> among;  ///< [n] which of them may validate: every combination can use them
};

/// Where `base` splits validation rows off, and combinations of `grid` would not split off the same
/// ones: equal texts stay on one side, and tokenizer.max_tokens, say, makes other texts equal; and
/// data.text_columns says which rows can be used. Reads the training file once, and once more for
/// other columns. `parts`: of data.test_fraction, may be empty. Nothing where the seed alone says
/// which rows validate. Throws DataError as reading does.
std::optional<GridRows> shared_rows(const Config& base, const Grid& grid, const RowParts& parts);

/// Which records of the training file validate with `seed`, `fraction` (data.validation_fraction)
/// of them by the rule of a training's own split, but for the texts: equal are those of the same
/// words, in whatever case, as for data.test_fraction.
std::vector<bool> choose_validation(const GridRows& rows, double fraction, std::int64_t seed);

}  // namespace diffuse::cli
