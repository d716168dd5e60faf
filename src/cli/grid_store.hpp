#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "diffuse/config/grid.hpp"
#include "diffuse/eval/grid_figures.hpp"

namespace diffuse::cli {

/// What a run of `diffuse grid` is asked for beside its config and its combinations.
struct GridSettings {
  std::int64_t seeds = 1;
  bool keep_checkpoints = false;
};

/// Whether `run_dir` is a folder of `diffuse grid`.
bool is_grid(const std::filesystem::path& run_dir);

/// Writes `grid.json`.
void write_grid(const std::filesystem::path& run_dir, const GridSettings& settings,
                const Grid& grid);
/// Reads it. `base`: the config that is varied. Throws DataError for a damaged file, ConfigError
/// for values that do not fit `base` any more.
GridSettings read_stored_grid(const std::filesystem::path& run_dir, const Config& base, Grid& grid);

/// The folder of a run: `runs/003-seed1`. `combination` is counted from 0.
std::filesystem::path grid_run_directory(const std::filesystem::path& run_dir,
                                         std::size_t combination, std::int64_t seed);

/// In a run's folder: its answers on the validation rows, as `diffuse eval --output` writes them.
inline constexpr const char* kGridAnswersFile = "validation.tsv";

/// What the model of `folder` answered on its validation rows, as kGridAnswersFile says; ascending
/// by row. Empty where that is missing or damaged.
std::vector<RowAnswer> read_answers(const std::filesystem::path& folder);

/// Writes `results.jsonl` and `results.csv`, a line a run.
void write_results(const std::filesystem::path& run_dir, const Grid& grid,
                   std::vector<GridRun> runs);
/// Reads `results.jsonl`, with the answers; runs without are left out. Throws DataError for a
/// damaged line.
std::vector<GridRun> read_results(const std::filesystem::path& run_dir, const Grid& grid);

}  // namespace diffuse::cli
