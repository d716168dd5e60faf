#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/eval/grid_figures.hpp"

namespace diffuse {

/// What is told of a finished grid, as text or as a page.
struct GridReport {
  std::string name;               ///< of its folder
  std::vector<std::string> keys;  ///< that are varied
  /// [combination][key], as people read them.
  std::vector<std::vector<std::string>> values;
  std::vector<CombinationFigures> figures;               ///< best first, as grid_figures gives them
  std::vector<GridRun> runs;                             ///< of which the answers are not needed
  ValidationMetric metric = ValidationMetric::accuracy;  ///< that ranks
  std::int64_t seeds = 1;                                ///< of each combination
  std::int64_t rows = 0;                                 ///< that validate, of each seed
};

/// "model.dim = 64, train.length = 3e".
std::string combination_text(const GridReport& report, std::size_t combination);

/// The table: a heading and a line for each combination, best first. Combinations are numbered from
/// 1. How many of its columns, from the first, are not figures stands in `left_columns`.
std::vector<std::vector<std::string>> grid_cells(const GridReport& report,
                                                 std::size_t& left_columns);

/// What the table means, a sentence each: which combinations are worse than the best, which are not
/// told apart from it, what failed.
std::vector<std::string> grid_remarks(const GridReport& report);

/// One HTML page, whole in itself: the best combination, a chart of mean and deviation, the table
/// and what it means. No scripts, nothing fetched.
std::string grid_report_html(const GridReport& report);

}  // namespace diffuse
