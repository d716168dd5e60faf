#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "diffuse/report/grid_report.hpp"
#include "grid_plan.hpp"

namespace diffuse::cli {

/// What the best combination's models answered on the test rows, each by itself.
struct GridTest {
  std::size_t combination = 0;
  std::vector<std::int64_t> seeds{};
  std::vector<double> accuracies{};  ///< of the seeds
  std::vector<double> macro_f1s{};   ///< of those that have one
  std::int64_t rows = 0;
};

/// `test.json`, and back; nothing where it is not there. Throws DataError for a damaged file.
std::string grid_test_json(const GridTest& test);
std::optional<GridTest> read_grid_test(const std::filesystem::path& run_dir);

/// What a grid's summary is made of.
struct GridSummary {
  GridReport report;
  std::filesystem::path run_dir;
  std::optional<GridTest> test{};
  bool has_test = false;  ///< whether there are test rows
};

/// What `diffuse grid` prints, as a table and some lines or as one JSON object.
std::string grid_text(const GridSummary& summary);
std::string grid_summary_json(const GridSummary& summary, const Grid& grid);

/// What --dry-run prints. `rows`: that validate.
std::string grid_plan_text(const GridPlan& plan, std::int64_t rows);
std::string grid_plan_json(const GridPlan& plan, std::int64_t rows);

}  // namespace diffuse::cli
