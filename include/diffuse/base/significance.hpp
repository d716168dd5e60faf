#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace diffuse {

/// How likely a mean at least as far from 0 is, if `differences`, of pairs, come from a normal
/// distribution around 0: Student's paired t-test, two-sided. Nothing for fewer than two, and where
/// all are the same but not 0, which tells nothing of how much they spread.
std::optional<double> paired_t_p_value(std::span<const double> differences);

/// How likely a sum at least as far from 0 is, if a fair coin gave each of `differences` its sign:
/// exact, two-sided; 1 where all are 0. For differences of -1, 0 and 1 it is McNemar's exact test.
double sign_flip_p_value(std::span<const std::int64_t> differences);

/// Each of `p_values` corrected by S. Holm ("A simple sequentially rejective multiple test
/// procedure", Scandinavian Journal of Statistics 6, 1979) for `tests` tests, of which they are
/// some: that one of all true null hypotheses is rejected at level a by them has at most
/// probability a. Throws Error if there are fewer tests than values.
std::vector<double> holm_corrected(std::span<const double> p_values, std::int64_t tests);

}  // namespace diffuse
