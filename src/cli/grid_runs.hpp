#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "diffuse/data/dataset.hpp"
#include "grid_plan.hpp"
#include "subrun.hpp"

namespace diffuse::cli {

/// The runs of a grid in its folder: those that are finished, and how the others are made.
class GridRuns {
 public:
  /// All must outlive the object. Does nothing yet.
  GridRuns(const GridPlan& plan, const TrainOptions& options, const std::string& start_time);

  /// Which rows of the training file the runs have; null: all.
  const RowParts* parts() const { return parts_.train.empty() ? nullptr : &parts_; }
  /// Takes `run_dir` for the grid's folder and reads what is finished there.
  void open(const std::filesystem::path& run_dir);
  /// How many there are to be.
  std::int64_t count() const;
  const std::vector<GridRun>& finished() const { return finished_; }

  /// Trains what is not finished, and keeps the models of the combination that is best so far.
  /// False where a signal ended it.
  bool train_all();
  /// Trains the run once more if its model is not there. False where a signal ended it.
  bool have_model(std::size_t combination, std::int64_t seed);

 private:
  bool is_finished(std::size_t combination, std::int64_t seed) const;
  bool train(std::size_t combination, std::int64_t seed);
  void check_rows(const DatasetView& rows, std::size_t combination, std::int64_t seed) const;
  void tell(const GridRun& run, const std::string& name) const;
  void keep_the_best(std::size_t combinations) const;

  const GridPlan& plan_;
  const TrainOptions& options_;
  const std::string& start_time_;
  RowParts parts_;
  std::filesystem::path run_dir_;
  std::vector<GridRun> finished_;
  std::int64_t done_before_ = 0;  ///< of them, by another process
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace diffuse::cli
