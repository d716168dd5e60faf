#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "diffuse/config/config.hpp"

namespace diffuse {

/// What a trained model of a grid answered on one validation row.
struct RowAnswer {
  std::uint64_t row = 0;  ///< number in its file, from 1
  bool right = false;
};

/// One trained model of a grid: a combination with one seed.
struct GridRun {
  std::size_t combination = 0;  ///< from 0
  std::int64_t seed = 0;
  std::string failure{};  ///< why there are no figures, or empty
  /// On the validation rows, by the best checkpoint.
  double accuracy = 0;
  std::optional<double> macro_f1{};
  double loss = 0;
  std::int64_t rows = 0;
  std::int64_t updates = 0;
  std::int64_t best_update = 0;
  double training_time_s = 0;
  std::int64_t memory_bytes = 0;  ///< peak
  std::vector<RowAnswer> answers{};
};

/// Mean and, of two values or more, standard deviation.
struct Spread {
  double mean = 0;
  std::optional<double> deviation{};
};
/// Nothing of no values.
std::optional<Spread> spread_of(std::span<const double> values);

/// A combination against the best one, on the validation rows that both answered with a seed.
struct GridComparison {
  double difference = 0;        ///< accuracy of the best less that of this one, mean over the seeds
  std::int64_t rows = 0;        ///< different rows
  std::int64_t best_right = 0;  ///< of them, rows on which the best was right with more seeds
  std::int64_t this_right = 0;  ///< and this one
  /// By the rows: each row's difference, in seeds that were right, may have either sign
  /// (sign_flip_p_value; with one seed McNemar's test). Then corrected for all pairs.
  double rows_p = 1;
  double rows_p_corrected = 1;
  /// By the seeds: Student's paired t-test over the seeds' accuracies; nothing where it cannot be
  /// had.
  std::optional<double> seeds_p{};
  std::optional<double> seeds_p_corrected{};
};

enum class GridVerdict {
  best,
  worse,      ///< by the rows and, where there are several seeds, by the seeds
  rows_only,  ///< worse by the rows, but the seeds do not show it
  equal,      ///< not told apart from the best
  failed      ///< not all of its seeds have figures
};

struct CombinationFigures {
  std::size_t combination = 0;  ///< from 0
  std::int64_t seeds = 0;       ///< that have figures
  std::int64_t failed = 0;      ///< that have not
  std::optional<Spread> accuracy{};
  std::optional<Spread> macro_f1{};
  std::optional<Spread> loss{};
  std::optional<Spread> training_time_s{};
  std::int64_t memory_bytes = 0;                 ///< the most of a seed
  std::optional<GridComparison> against_best{};  ///< of all but the best that have no failure
  GridVerdict verdict = GridVerdict::equal;
};

/// Below which a corrected p value tells two combinations apart.
inline constexpr double kSignificance = 0.05;

/// The figures of each of `combinations`, best first by the mean of `metric` over the seeds, then
/// by the mean loss, then in the grid's order; those with a failure come last and are compared with
/// none. p values are corrected by Holm's rule for all pairs of compared combinations, not for
/// those with the best alone: it is the figures themselves that say which one that is.
std::vector<CombinationFigures> grid_figures(std::span<const GridRun> runs,
                                             std::size_t combinations, ValidationMetric metric);

}  // namespace diffuse
