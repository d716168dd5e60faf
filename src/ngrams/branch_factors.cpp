#include "diffuse/ngrams/branch_factors.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace diffuse {
namespace {

using Pair = std::array<double, 2>;

// Of the prior: rows that `start` is worth, by a factor's distance from it.
constexpr Pair kPrior = {1.0, 0.1};

/// Cross-entropy summed over rows and its derivatives by the factors, with the prior.
struct Loss {
  double value = 0;
  Pair gradient{};
  std::array<Pair, 2> curvature{};
};

/// The logits of the branches, [n, C] each.
using Branches = std::array<std::span<const float>, 2>;

/// Adds that of row `row`, whose logits begin at `first`, of class `label`. `shares`: memory, [C].
void add_class_loss(const Branches& logits, std::size_t first, std::size_t label,
                    const Pair& factors, std::vector<double>& shares, Loss& loss) {
  const auto at = [&](std::size_t branch, std::size_t c) {
    return static_cast<double>(logits[branch][first + c]);
  };
  double largest = -1e300;
  for (std::size_t c = 0; c < shares.size(); ++c) {
    shares[c] = factors[0] * at(0, c) + factors[1] * at(1, c);
    largest = std::max(largest, shares[c]);
  }
  const double own = shares[label];
  double sum = 0;
  for (double& share : shares) sum += share = std::exp(share - largest);
  loss.value += largest + std::log(sum) - own;
  Pair mean{};
  std::array<Pair, 2> product{};
  for (std::size_t c = 0; c < shares.size(); ++c) {
    const Pair z = {at(0, c), at(1, c)};
    for (std::size_t a = 0; a < 2; ++a) {
      mean[a] += shares[c] / sum * z[a];
      for (std::size_t b = 0; b < 2; ++b) product[a][b] += shares[c] / sum * z[a] * z[b];
    }
  }
  for (std::size_t a = 0; a < 2; ++a) {
    loss.gradient[a] += mean[a] - at(a, label);
    for (std::size_t b = 0; b < 2; ++b) loss.curvature[a][b] += product[a][b] - mean[a] * mean[b];
  }
}

/// Adds that of one of several labels, which the row has or not.
void add_label_loss(const Pair& z, bool has, const Pair& factors, Loss& loss) {
  const double sum = factors[0] * z[0] + factors[1] * z[1];
  const double small = std::exp(-std::abs(sum));
  const double probability = sum >= 0 ? 1 / (1 + small) : small / (1 + small);
  loss.value += std::max(sum, 0.0) - (has ? sum : 0) + std::log1p(small);
  for (std::size_t a = 0; a < 2; ++a) {
    loss.gradient[a] += (probability - (has ? 1 : 0)) * z[a];
    for (std::size_t b = 0; b < 2; ++b)
      loss.curvature[a][b] += probability * (1 - probability) * z[a] * z[b];
  }
}

Loss loss_at(const Branches& logits, const Gold& gold, const Pair& factors, const Pair& start) {
  Loss loss;
  const auto classes = static_cast<std::size_t>(gold.classes);
  std::vector<double> shares(classes);
  for (std::size_t i = 0; i < gold.size(); ++i) {
    const std::size_t first = i * classes;
    for (std::size_t c = 0; gold.several && c < classes; ++c)
      add_label_loss(
          {static_cast<double>(logits[0][first + c]), static_cast<double>(logits[1][first + c])},
          gold.has[first + c] != 0, factors, loss);
    if (!gold.several && gold.labels[i] >= 0)
      add_class_loss(logits, first, static_cast<std::size_t>(gold.labels[i]), factors, shares,
                     loss);
  }
  for (std::size_t a = 0; a < 2; ++a) {
    const double away = factors[a] - start[a];
    loss.value += 0.5 * kPrior[a] * away * away;
    loss.gradient[a] += kPrior[a] * away;
    loss.curvature[a][a] += kPrior[a];
  }
  return loss;
}

/// Newton's step for the factors that are free; 0 for the others.
Pair newton_step(const Loss& loss, const std::array<bool, 2>& free) {
  const auto& [first, second] = loss.curvature;
  const double determinant = first[0] * second[1] - first[1] * second[0];
  if (free[0] && free[1] && determinant > 1e-12 * first[0] * second[1])
    return {(loss.gradient[0] * second[1] - loss.gradient[1] * first[1]) / determinant,
            (loss.gradient[1] * first[0] - loss.gradient[0] * second[0]) / determinant};
  return {free[0] ? loss.gradient[0] / first[0] : 0, free[1] ? loss.gradient[1] / second[1] : 0};
}

}  // namespace

BranchFactors fit_factors(std::span<const float> network, std::span<const float> ngrams,
                          const Gold& gold, const BranchFactors& start) {
  constexpr int kMostSteps = 50;
  constexpr double kSmall = 1e-6;
  const Branches logits = {network, ngrams};
  const Pair prior = {start.network, start.ngrams};
  Pair factors = prior;
  Loss loss = loss_at(logits, gold, factors, prior);
  for (int step = 0; step < kMostSteps; ++step) {
    // One at its bound that is pushed beyond it stays there.
    const auto is_free = [&](std::size_t a) {
      return prior[a] > 0 && (factors[a] > 0 || loss.gradient[a] < 0);
    };
    const Pair direction = newton_step(loss, {is_free(0), is_free(1)});
    double share = 1;
    Pair next{};
    Loss there;
    for (; share > 1e-4; share /= 2) {
      for (std::size_t a = 0; a < 2; ++a)
        next[a] = std::max(0.0, factors[a] - share * direction[a]);
      there = loss_at(logits, gold, next, prior);
      if (there.value <= loss.value) break;
    }
    if (share <= 1e-4) break;
    const double moved = std::abs(next[0] - factors[0]) + std::abs(next[1] - factors[1]);
    factors = next;
    loss = there;
    if (moved < kSmall) break;
  }
  return {factors[0], factors[1]};
}

double mean_loss(std::span<const float> network, std::span<const float> ngrams, const Gold& gold,
                 const BranchFactors& factors) {
  const Pair at = {factors.network, factors.ngrams};
  return loss_at({network, ngrams}, gold, at, at).value /
         static_cast<double>(std::max<std::size_t>(gold.size(), 1));
}

void add_branches(std::span<float> network, std::span<const float> ngrams,
                  const BranchFactors& factors) {
  for (std::size_t i = 0; i < network.size(); ++i)
    network[i] = static_cast<float>(factors.network * static_cast<double>(network[i]) +
                                    factors.ngrams * static_cast<double>(ngrams[i]));
}

double accuracy_of(std::span<const float> logits, const Gold& gold) {
  const auto width = static_cast<std::size_t>(gold.classes);
  std::size_t right = 0;
  for (std::size_t i = 0; i < gold.size(); ++i) {
    const auto row = logits.subspan(i * width, width);
    const bool is_right =
        gold.several
            ? gold.unknown[i] == 0 && std::equal(row.begin(), row.end(), gold.row(i).begin(),
                                                 [](float logit, std::uint8_t has) {
                                                   return (logit > 0) == (has != 0);
                                                 })
            : std::max_element(row.begin(), row.end()) - row.begin() == gold.labels[i];
    right += is_right ? 1 : 0;
  }
  return static_cast<double>(right) / static_cast<double>(std::max<std::size_t>(gold.size(), 1));
}

}  // namespace diffuse
