#include "diffuse/eval/label_answers.hpp"

#include <algorithm>
#include <cmath>

namespace diffuse {
namespace {

constexpr double kUsual = 0.5;
// Rows with a label that the threshold of all labels together is worth.
constexpr double kPriorRows = 10;

double log_odds(double probability) {
  constexpr double kLeast = 1e-6;
  const double p = std::clamp(probability, kLeast, 1 - kLeast);
  return std::log(p / (1 - p));
}

struct Decision {
  float probability = 0;
  bool gold = false;
};

/// The threshold between two of the decisions, which get sorted, that makes their F1 greatest.
double best_threshold(std::vector<Decision>& decisions) {
  std::sort(decisions.begin(), decisions.end(),
            [](const Decision& a, const Decision& b) { return a.probability > b.probability; });
  const auto with = std::count_if(decisions.begin(), decisions.end(),
                                  [](const Decision& decision) { return decision.gold; });
  double best = kUsual;
  double best_f1 = 0;
  std::int64_t hits = 0;
  for (std::size_t k = 0; k < decisions.size(); ++k) {
    hits += decisions[k].gold ? 1 : 0;
    const auto own = static_cast<double>(decisions[k].probability);
    const double next =
        k + 1 < decisions.size() ? static_cast<double>(decisions[k + 1].probability) : 0.0;
    if (next == own) continue;  // no threshold tells them apart
    const double f1 = 2 * static_cast<double>(hits) /
                      static_cast<double>(static_cast<std::int64_t>(k) + 1 + with);
    const double between = (own + next) / 2;
    const bool nearer = std::abs(between - kUsual) < std::abs(best - kUsual);
    if (f1 > best_f1 || (f1 == best_f1 && f1 > 0 && nearer)) {
      best = between;
      best_f1 = f1;
    }
  }
  return best;
}

}  // namespace

std::vector<float> label_probabilities(std::span<const float> logits) {
  std::vector<float> probabilities;
  probabilities.reserve(logits.size());
  for (const float logit : logits)
    probabilities.push_back(static_cast<float>(1 / (1 + std::exp(-static_cast<double>(logit)))));
  return probabilities;
}

std::vector<std::uint8_t> answered_labels(std::span<const float> probabilities,
                                          std::span<const float> thresholds) {
  std::vector<std::uint8_t> answers;
  answers.reserve(probabilities.size());
  for (std::size_t i = 0; i < probabilities.size(); ++i)
    answers.push_back(probabilities[i] >= thresholds[i % thresholds.size()] ? 1 : 0);
  return answers;
}

std::vector<float> choose_thresholds(std::span<const float> probabilities, const Gold& gold) {
  const auto width = static_cast<std::size_t>(gold.classes);
  std::vector<Decision> decisions;
  decisions.reserve(probabilities.size());
  for (std::size_t i = 0; i < probabilities.size(); ++i)
    decisions.push_back({probabilities[i], gold.has[i] != 0});
  const double shared = log_odds(best_threshold(decisions));
  std::vector<float> thresholds;
  for (std::size_t c = 0; c < width; ++c) {
    decisions.clear();
    double with = 0;
    for (std::size_t row = 0; row < gold.size(); ++row) {
      const bool has = gold.has[row * width + c] != 0;
      decisions.push_back({probabilities[row * width + c], has});
      with += has ? 1 : 0;
    }
    const double own = with > 0 ? log_odds(best_threshold(decisions)) : 0;
    const double drawn = (with * own + kPriorRows * shared) / (with + kPriorRows);
    thresholds.push_back(static_cast<float>(1 / (1 + std::exp(-drawn))));
  }
  return thresholds;
}

std::string joined_labels(std::span<const std::uint8_t> which,
                          const std::vector<std::string>& names, const std::string& separator) {
  std::string joined;
  bool first = true;
  for (std::size_t c = 0; c < which.size(); ++c) {
    if (which[c] == 0) continue;
    if (!first) joined += separator;
    joined += names[c];
    first = false;
  }
  return joined;
}

}  // namespace diffuse
