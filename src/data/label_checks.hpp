#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "diffuse/data/dataset.hpp"
#include "diffuse/text/labels.hpp"

namespace diffuse {

/// One line for every group of labels that a reader may take for the same, most rows first: they
/// differ by case, width, blanks or the writing of a number alone. `counts` are the rows of each
/// class.
std::vector<std::string> describe_look_alikes(const Labels& labels,
                                              std::span<const std::int64_t> counts);

/// Warns of them, of the five groups with the most rows by name. `name` is how log lines call the
/// file.
void warn_of_look_alikes(const std::string& name, const Labels& labels,
                         std::span<const std::int64_t> counts);

/// Warns where rows may have several labels by `separator` and none has, and where they may not and
/// their labels look as if they were several: parts that come again between `|`, `;` or `,`.
void warn_of_separator(const EncodedDataset& data, const Labels& labels, const std::string& name,
                       const std::string& separator);

}  // namespace diffuse
