#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/data/row_parts.hpp"

namespace diffuse::cli {

/// What a run of `train --folds` is asked for beside its config; `folds.json` of its directory.
struct FoldSettings {
  std::int64_t folds = 0;
  bool ensemble = false;  ///< the folds' models are kept
};

void write_fold_settings(const std::filesystem::path& run_dir, const FoldSettings& settings);
/// Nothing where the directory is not of such a run. Throws DataError for a damaged file.
std::optional<FoldSettings> read_fold_settings(const std::filesystem::path& run_dir);

/// The directory of fold `fold`, counted from 0: `folds/1`, ….
std::filesystem::path fold_directory(const std::filesystem::path& run_dir, std::int64_t fold);

/// Which row of the training file is in which fold.
class FoldPlan {
 public:
  /// Reads the training file. The rows of data.test_fraction are in no fold.
  FoldPlan(const Config& config, std::int64_t folds);

  std::int64_t folds() const { return folds_; }
  const LabelledRows& rows() const { return rows_; }
  /// The fold of a row by its place among the usable ones, or -1.
  std::int64_t fold_of(std::size_t place) const { return fold_of_[place]; }
  /// The same of all usable rows, in file order.
  std::span<const std::int64_t> fold_of() const { return fold_of_; }
  /// What the model of `fold` is trained on, and that fold itself as its test.
  RowParts parts(std::int64_t fold) const;
  /// The labels of the fold's rows, in file order.
  std::vector<std::int32_t> labels(std::int64_t fold) const;
  /// The rows of data.test_fraction, among all records of the file; empty: there are none.
  const std::vector<bool>& test_rows() const { return test_rows_; }

 private:
  std::int64_t folds_;
  LabelledRows rows_;
  std::vector<bool> test_rows_;
  std::vector<std::int64_t> fold_of_;
};

}  // namespace diffuse::cli
