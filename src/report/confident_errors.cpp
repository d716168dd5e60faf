#include <fmt/core.h>

#include <algorithm>

#include "diffuse/base/error.hpp"
#include "diffuse/report/training_report.hpp"

namespace diffuse {

std::vector<ConfidentError> most_confident_errors(std::span<const float> probabilities,
                                                  std::span<const std::int32_t> gold,
                                                  std::int64_t class_count, std::size_t most) {
  if (class_count < 1 ||
      probabilities.size() != gold.size() * static_cast<std::size_t>(class_count))
    throw Error(fmt::format("{} probabilities were given for {} rows of {} classes.",
                            probabilities.size(), gold.size(), class_count));
  const auto width = static_cast<std::size_t>(class_count);
  std::vector<ConfidentError> errors;
  for (std::size_t row = 0; row < gold.size(); ++row) {
    const auto p = probabilities.subspan(row * width, width);
    const auto best = std::max_element(p.begin(), p.end());
    const auto predicted = static_cast<std::int32_t>(best - p.begin());
    if (predicted != gold[row]) errors.push_back({row, gold[row], predicted, *best});
  }
  const auto first = [](const ConfidentError& a, const ConfidentError& b) {
    return a.probability != b.probability ? a.probability > b.probability : a.index < b.index;
  };
  const std::size_t kept = std::min(most, errors.size());
  std::partial_sort(errors.begin(), errors.begin() + static_cast<std::ptrdiff_t>(kept),
                    errors.end(), first);
  errors.resize(kept);
  return errors;
}

}  // namespace diffuse
