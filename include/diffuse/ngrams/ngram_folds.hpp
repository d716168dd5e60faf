#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "diffuse/data/dataset.hpp"

namespace diffuse {

/// The fold, from 0, of each row of `view`, whose data set holds their n-grams and whose classes
/// are `labels` [n]. Each fold has about as many rows of each class; which rows, their order
/// decides. Rows of the same n-grams are in the same fold: a model that had learned one of them
/// would know the other. But where so few texts differ that a fold would get less than half of its
/// share each row goes by itself.
std::vector<std::int64_t> deal_to_folds(const DatasetView& view,
                                        std::span<const std::int32_t> labels, std::int64_t folds);

}  // namespace diffuse
