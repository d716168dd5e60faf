#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "diffuse/data/gold.hpp"
#include "diffuse/text/labels.hpp"

namespace diffuse {

/// Two classifiers on the same rows, this one and another.
struct PairedComparison {
  std::int64_t both_right = 0;
  std::int64_t only_this_right = 0;
  std::int64_t only_other_right = 0;
  std::int64_t both_wrong = 0;
  /// How likely so uneven a split of the rows that only one gets right is between two classifiers
  /// that are equally good.
  double p_value = 1;

  std::int64_t count() const {
    return both_right + only_this_right + only_other_right + both_wrong;
  }
  double accuracy() const;        ///< of this one
  double other_accuracy() const;  ///< of the other one
};

/// McNemar's test (Q. McNemar, Psychometrika 12, 1947) in its exact form: the two-sided binomial
/// probability of the rows that only one of the two gets right. 1 where there are none.
double mcnemar_p_value(std::int64_t only_first, std::int64_t only_second);

/// Compares predictions [n] with those of another classifier and `gold`. Throws Error if the
/// lengths differ or are 0.
PairedComparison compare_predictions(std::span<const std::int32_t> predicted,
                                     std::span<const std::int32_t> other,
                                     std::span<const std::int32_t> gold);

/// Reads a file of `diffuse eval --output` and gives its predicted classes for `rows` (numbers in
/// the data file) in their order. Throws DataError (`file:line`) for a damaged line, a label that
/// is not among `labels`, another gold label than `gold` says, and a row that is missing, twice or
/// not among `rows`.
std::vector<std::int32_t> read_predictions(const std::filesystem::path& path,
                                           std::span<const std::uint64_t> rows,
                                           std::span<const std::int32_t> gold,
                                           const Labels& labels);

/// Of rows of several labels, which are answered rightly: those of which all labels are answered
/// and no other, 1, and the rest 0. `answers`: [n, C].
std::vector<std::int32_t> right_rows(std::span<const std::uint8_t> answers, const Gold& gold);

/// The same of the answers in a file of `diffuse eval --output`, whose cells have `separator`
/// between their labels. Throws as read_predictions does.
std::vector<std::int32_t> read_right_rows(const std::filesystem::path& path,
                                          std::span<const std::uint64_t> rows, const Gold& gold,
                                          const Labels& labels, const std::string& separator);

/// Compares the right rows of two classifiers, as right_rows gives them.
PairedComparison compare_right_rows(std::span<const std::int32_t> right,
                                    std::span<const std::int32_t> other);

/// "against other.tsv  91.05 % there, 92.18 % here (+1.13 points)  only here right 210, only there
/// 124  McNemar p = 3.1e-06", without a line break.
std::string paired_line(const PairedComparison& comparison, const std::string& name);

/// The same figures as a JSON object, to be laid into another.
std::string paired_json(const PairedComparison& comparison, const std::string& name);

}  // namespace diffuse
