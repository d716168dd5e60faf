#include <fmt/core.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <vector>

#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/data/loading.hpp"

namespace diffuse {
namespace {

/// n / (C * n_c), as scikit-learn has it; 1 for a class without rows.
std::vector<double> balanced(const std::vector<std::int64_t>& rows) {
  const auto all = static_cast<double>(std::accumulate(rows.begin(), rows.end(), std::int64_t{0}));
  const auto classes = static_cast<double>(
      std::count_if(rows.begin(), rows.end(), [](std::int64_t count) { return count > 0; }));
  std::vector<double> weights(rows.size(), 1);
  for (std::size_t c = 0; c < rows.size(); ++c)
    if (rows[c] > 0) weights[c] = all / (classes * static_cast<double>(rows[c]));
  return weights;
}

std::vector<double> by_name(const ClassWeights& setting, const Labels& labels) {
  std::vector<double> weights(labels.names().size(), 1);
  std::vector<bool> named(weights.size());
  for (const auto& [name, weight] : setting.by_name) {
    const std::optional<std::int32_t> found = labels.find(name);
    if (!found) {
      constexpr std::size_t kShown = 20;
      std::vector<std::string> names;
      for (std::size_t c = 0; c < std::min(kShown, weights.size()); ++c)
        names.push_back(fmt::format("\"{}\"", printable(labels.names()[c], 40)));
      if (names.size() < weights.size()) names.push_back("…");
      const auto near = nearest_name(name, labels.names());
      throw DataError(fmt::format(
          "train.class_weights: there is no class \"{}\"{}; expected {}", printable(name),
          near ? fmt::format(", did you mean \"{}\"?", printable(*near)) : "", join(names, ", ")));
    }
    const auto c = static_cast<std::size_t>(*found);
    if (named[c])
      throw DataError(
          fmt::format("train.class_weights: the class \"{}\" stands twice; expected "
                      "each class once",
                      printable(labels.names()[c])));
    named[c] = true;
    weights[c] = weight;
  }
  return weights;
}

}  // namespace

std::vector<double> class_weights(const ClassWeights& setting, const Labels& labels,
                                  const std::vector<std::int64_t>& class_rows) {
  switch (setting.rule) {
    case ClassWeights::Rule::balanced:
      return balanced(class_rows);
    case ClassWeights::Rule::by_name:
      return by_name(setting, labels);
    case ClassWeights::Rule::none:
      break;
  }
  return std::vector<double>(labels.names().size(), 1);
}

void weigh_classes(const ClassWeights& setting, TrainingData& data) {
  if (setting.rule != ClassWeights::Rule::none)
    data.train_file->weigh_classes(class_weights(setting, data.labels, data.facts.class_rows));
  const RowTargets& targets = data.train_file->targets();
  const bool any = std::any_of(data.train.rows.begin(), data.train.rows.end(),
                               [&](std::uint32_t row) { return targets.weight(row) > 0; });
  if (!any)
    throw DataError(
        "every training row has the weight 0 (data.weight_column, train.class_weights), so that "
        "nothing can be learnt; expected rows with more");
}

}  // namespace diffuse
