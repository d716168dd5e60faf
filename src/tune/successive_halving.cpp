#include "diffuse/tune/successive_halving.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "diffuse/base/error.hpp"
#include "diffuse/config/load.hpp"

namespace diffuse {
namespace {

struct Candidate {
  Config config;
  std::size_t number = 0;
  TuningScore score{};
};

bool ranks_before(const Candidate& a, const Candidate& b) {
  if (a.score.score != b.score.score) return a.score.score > b.score.score;
  return a.score.loss < b.score.loss;
}

class Tuning {
 public:
  Tuning(const TuningOptions& options, const MeasureStep& measure, const ProposeConfig& propose)
      : options_(options), measure_(measure), propose_(propose) {}

  TuningResult run(const Config& start, const std::vector<Config>& recipes) {
    Candidate best = *admitted(start);
    TuningResult result{.best = start};
    if (climb(best, options_.rungs - 1)) {
      std::span<const Config> left = recipes;
      for (;;) {
        std::vector<Candidate> bracket = filled(left, best.config);
        if (bracket.empty() || !halve(bracket)) break;
        if (is_better(bracket.front().score, best.score, options_.paired)) best = bracket.front();
        ++result.brackets;
      }
    }
    result.best = best.config;
    result.candidates = tried_.size();
    return result;
  }

 private:
  /// Nothing for one that was there before.
  std::optional<Candidate> admitted(const Config& config) {
    if (!tried_.insert(config_json(config)).second) return std::nullopt;
    return Candidate{config, tried_.size() - 1};
  }

  /// As many new candidates as there is time for, of the `recipes`, which it takes away, first.
  std::vector<Candidate> filled(std::span<const Config>& recipes, const Config& best) {
    const std::size_t size =
        options_.affordable ? std::min(options_.affordable(), options_.bracket) : options_.bracket;
    std::vector<Candidate> bracket;
    for (; bracket.size() < size && !recipes.empty(); recipes = recipes.subspan(1))
      if (auto candidate = admitted(recipes.front())) bracket.push_back(*std::move(candidate));
    constexpr int kDraws = 100;  // of known ones in a row: then all are
    for (int draw = 0; bracket.size() < size && draw < kDraws;) {
      const std::optional<Config> config = propose_(best);
      if (!config) break;
      auto candidate = admitted(*config);
      draw = candidate ? 0 : draw + 1;
      if (candidate) bracket.push_back(*std::move(candidate));
    }
    return bracket;
  }

  bool climb(Candidate& candidate, std::size_t rung) {
    auto score = measure_({candidate.config, candidate.number, rung});
    if (score) candidate.score = *std::move(score);
    return score.has_value();
  }

  /// Leaves the bracket's best, measured on the last rung; false where the search ended before.
  bool halve(std::vector<Candidate>& bracket) {
    for (std::size_t rung = 0; rung < options_.rungs; ++rung) {
      for (Candidate& candidate : bracket)
        if (!climb(candidate, rung)) return false;
      std::stable_sort(bracket.begin(), bracket.end(), ranks_before);
      const std::size_t left =
          rung + 1 == options_.rungs
              ? 1
              : std::max<std::size_t>(
                    1, (bracket.size() + options_.reduction - 1) / options_.reduction);
      bracket.resize(left, bracket.front());
    }
    return true;
  }

  const TuningOptions& options_;
  const MeasureStep& measure_;
  const ProposeConfig& propose_;
  std::set<std::string> tried_;
};

}  // namespace

bool is_better(const TuningScore& challenger, const TuningScore& best, bool paired) {
  if (!paired) return challenger.score > best.score;
  if (challenger.right.size() != best.right.size())
    throw Error("is_better: the two were measured on different rows.");
  double gained = 0;
  double lost = 0;
  for (std::size_t i = 0; i < best.right.size(); ++i) {
    gained += challenger.right[i] > best.right[i] ? 1 : 0;
    lost += challenger.right[i] < best.right[i] ? 1 : 0;
  }
  return gained - lost > std::sqrt(gained + lost);
}

TuningResult successive_halving(const Config& start, const std::vector<Config>& recipes,
                                const TuningOptions& options, const MeasureStep& measure,
                                const ProposeConfig& propose) {
  if (options.rungs == 0 || options.bracket == 0 || options.reduction == 0)
    throw Error("successive_halving: rungs, bracket and reduction are at least 1.");
  return Tuning(options, measure, propose).run(start, recipes);
}

}  // namespace diffuse
