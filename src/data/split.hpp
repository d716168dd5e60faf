#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace diffuse {

/// Takes `fraction` (0 <= fraction < 1) of the rows, rounded, for validation, and says of each
/// whether it is among them: of every class its share, the rest of the roundings to the classes
/// with the largest remainders. Every class keeps at least one row in train and, unless `fraction`
/// is 0, gets one in validation if it has two. Rows of equal texts stand on one side; where that
/// leaves no choice a class may have fewer rows in validation than its share, or none. A function
/// of its arguments alone, the same on every machine. `labels`: of the rows; `texts`: equal numbers
/// for equal texts.
std::vector<bool> split_stratified(std::span<const std::int32_t> labels,
                                   std::span<const std::uint64_t> texts, double fraction,
                                   std::int64_t seed);

/// The same of other parts, 0 < fraction; `stream`: what chooses.
std::vector<bool> choose_stratified(std::span<const std::int32_t> labels,
                                    std::span<const std::uint64_t> texts, double fraction,
                                    std::uint64_t stream);

}  // namespace diffuse
