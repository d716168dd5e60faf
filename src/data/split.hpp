#pragma once

#include "diffuse/data/dataset.hpp"

namespace diffuse {

/// The two parts of a data set, each in file order.
struct Split {
  DatasetView train;
  DatasetView validation;
};

/// Takes `fraction` (0 <= fraction < 1) of the rows, rounded, for validation: of every class its
/// share, the rest of the roundings to the classes with the largest remainders. Every class keeps
/// at least one row in train and, unless `fraction` is 0, gets one in validation if it has two.
/// Rows of equal texts stand on one side; where that leaves no choice a class may have fewer rows
/// in validation than its share, or none. A function of its arguments alone, the same on every
/// machine.
Split split_stratified(const EncodedDataset& data, double fraction, std::int64_t seed);

}  // namespace diffuse
