#include "diffuse/eval/ensemble.hpp"

#include <algorithm>
#include <cmath>

#include "diffuse/base/error.hpp"

namespace diffuse {

Evaluation average_evaluations(const std::vector<Evaluation>& members, std::int64_t classes,
                               const std::vector<std::int64_t>& class_rows) {
  if (members.empty()) throw Error("An ensemble has at least one member.");
  const Evaluation& first = members.front();
  Evaluation mean;
  mean.gold = first.gold;
  mean.rows = first.rows;
  mean.data = first.data;
  std::vector<double> sums(first.probabilities.size());
  for (const Evaluation& member : members) {
    if (member.gold != first.gold || member.rows != first.rows ||
        member.probabilities.size() != sums.size())
      throw Error("The members of an ensemble were evaluated on other rows.");
    for (std::size_t i = 0; i < sums.size(); ++i)
      sums[i] += static_cast<double>(member.probabilities[i]);
    mean.time_s += member.time_s;
  }
  constexpr double kLeast = 1e-30;  // a probability that underflowed still has a logit
  for (const double sum : sums) {
    const double share = sum / static_cast<double>(members.size());
    mean.probabilities.push_back(static_cast<float>(share));
    mean.logits.push_back(static_cast<float>(std::log(std::max(share, kLeast))));
  }
  const auto rows = static_cast<double>(mean.gold.size());
  if (mean.time_s > 0) {
    mean.examples_per_s = rows / mean.time_s;
    mean.tokens_per_s = first.tokens_per_s * first.time_s / mean.time_s;
  }
  mean.metrics = compute_metrics(mean.probabilities, mean.gold, classes);
  mean.metrics.majority = majority_of(mean.metrics, class_rows);
  return mean;
}

}  // namespace diffuse
