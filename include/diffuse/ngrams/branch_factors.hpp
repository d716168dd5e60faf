#pragma once

#include <cstdint>
#include <span>

#include "diffuse/data/gold.hpp"

namespace diffuse {

/// What the two branches' logits count in their sum.
struct BranchFactors {
  double network = 1;
  double ngrams = 0;

  bool operator==(const BranchFactors&) const = default;
};

/// The factors, at least 0, with which the sum explains `gold` best: of the smallest mean
/// cross-entropy, of several labels the sum of each one's, which makes its probabilities calibrated
/// too. Logits are [n, C]; rows of gold -1 count nowhere. `start` draws weakly, as some rows more
/// would, so that few rows without an error do not ask for infinite factors. A factor that starts
/// at 0 stays 0.
BranchFactors fit_factors(std::span<const float> network, std::span<const float> ngrams,
                          const Gold& gold, const BranchFactors& start);

/// Mean cross-entropy of the sum with `factors`.
double mean_loss(std::span<const float> network, std::span<const float> ngrams, const Gold& gold,
                 const BranchFactors& factors);

/// network · its factor + ngrams · its factor, into `network`.
void add_branches(std::span<float> network, std::span<const float> ngrams,
                  const BranchFactors& factors);

/// Part of the rows whose largest logit, [n, C], is that of their label; of several labels, of
/// which just those of the row have a logit above 0.
double accuracy_of(std::span<const float> logits, const Gold& gold);

}  // namespace diffuse
