#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "diffuse/config/config.hpp"

namespace diffuse {

/// What a candidate reached on rows that it was not trained on.
struct TuningScore {
  double score = 0;                 ///< the greater the better
  double loss = 0;                  ///< decides between equal scores; the smaller the better
  std::vector<std::uint8_t> right;  ///< [n] of each row, whether it was right
};

/// A candidate on one rung of the ladder: how much of a whole training it gets grows from rung to
/// rung.
struct TuningStep {
  const Config& config;
  std::size_t candidate = 0;  ///< its number, from 0
  std::size_t rung = 0;
};

/// Trains and measures a candidate; nothing where there is no time left for it.
using MeasureStep = std::function<std::optional<TuningScore>(const TuningStep&)>;
/// A new candidate, made of the best so far; nothing where there is none left.
using ProposeConfig = std::function<std::optional<Config>(const Config& best)>;

struct TuningOptions {
  std::size_t rungs = 3;
  std::size_t bracket = 9;    ///< candidates that begin on the first rung
  std::size_t reduction = 3;  ///< one of so many goes on to the next
  /// Whether a difference in accuracy has to be greater than its standard error to count.
  bool paired = true;
  /// Asked before each bracket: how many candidates there is time for; 0 ends the search. Empty:
  /// for all.
  std::function<std::size_t()> affordable{};
};

struct TuningResult {
  Config best;
  std::size_t candidates = 0;  ///< tried, the first among them
  std::size_t brackets = 0;    ///< ended
};

/// Whether `challenger` is better than `best` by more than chance: if `paired`, where the rows that
/// only it gets right are more than those that only the other does by more than the root of both
/// (the standard error of their difference, McNemar's); else by its score.
bool is_better(const TuningScore& challenger, const TuningScore& best, bool paired);

/// Successive halving (K. Jamieson, A. Talwalkar, "Non-stochastic best arm identification and
/// hyperparameter optimization", AISTATS 2016), one bracket after the other as in Hyperband (L. Li
/// et al., JMLR 18, 2018), until `measure` or `propose` has nothing more or `options.affordable`
/// ends it. First `start` is measured on the last rung; of each bracket the one that is left there
/// takes the place of the best if it is better by more than chance. The first bracket begins with
/// `recipes`; its other candidates and all later ones come from `propose`, which is given the best
/// so far. Candidates that have been tried are not tried again. Where the first measurement is not
/// made, `start` is the best.
TuningResult successive_halving(const Config& start, const std::vector<Config>& recipes,
                                const TuningOptions& options, const MeasureStep& measure,
                                const ProposeConfig& propose);

}  // namespace diffuse
