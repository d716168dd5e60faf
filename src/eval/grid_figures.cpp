#include "diffuse/eval/grid_figures.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "diffuse/base/significance.hpp"
#include "diffuse/base/statistics.hpp"

namespace diffuse {
namespace {

/// The runs of one combination by their seeds.
using RunsBySeed = std::map<std::int64_t, const GridRun*>;

CombinationFigures figures_of(std::size_t combination, const RunsBySeed& runs) {
  CombinationFigures figures{.combination = combination};
  std::vector<double> accuracies;
  std::vector<double> macro_f1s;
  std::vector<double> losses;
  std::vector<double> times;
  for (const auto& [seed, run] : runs) {
    if (!run->failure.empty()) {
      ++figures.failed;
      continue;
    }
    ++figures.seeds;
    accuracies.push_back(run->accuracy);
    if (run->macro_f1) macro_f1s.push_back(*run->macro_f1);
    losses.push_back(run->loss);
    times.push_back(run->training_time_s);
    figures.memory_bytes = std::max(figures.memory_bytes, run->memory_bytes);
  }
  figures.accuracy = spread_of(accuracies);
  figures.macro_f1 = spread_of(macro_f1s);
  figures.loss = spread_of(losses);
  figures.training_time_s = spread_of(times);
  if (figures.failed > 0 || figures.seeds == 0) figures.verdict = GridVerdict::failed;
  return figures;
}

double mean_or(const std::optional<Spread>& spread, double otherwise) {
  return spread ? spread->mean : otherwise;
}

/// Smaller is better.
std::tuple<bool, double, double> rank_of(const CombinationFigures& figures,
                                         ValidationMetric metric) {
  constexpr double kWorst = 1e300;
  const double loss = mean_or(figures.loss, kWorst);
  const double chosen = metric == ValidationMetric::loss       ? loss
                        : metric == ValidationMetric::macro_f1 ? -mean_or(figures.macro_f1, -1)
                                                               : -mean_or(figures.accuracy, -1);
  return {figures.verdict == GridVerdict::failed, chosen, loss};
}

/// Adds `best` less `other` on the rows of both to `rows`, and to `accuracies` their accuracies'.
void compare_runs(const GridRun& best, const GridRun& other,
                  std::map<std::uint64_t, std::int64_t>& rows, std::vector<double>& accuracies) {
  std::int64_t sum = 0;
  std::int64_t count = 0;
  for (auto a = best.answers.begin(), b = other.answers.begin();
       a != best.answers.end() && b != other.answers.end();) {
    if (a->row != b->row) {
      a->row < b->row ? ++a : ++b;
      continue;
    }
    const std::int64_t difference = std::int64_t{a->right} - std::int64_t{b->right};
    rows[a->row] += difference;
    sum += difference;
    ++count;
    ++a;
    ++b;
  }
  if (count > 0) accuracies.push_back(static_cast<double>(sum) / static_cast<double>(count));
}

std::optional<GridComparison> compare(const RunsBySeed& best, const RunsBySeed& other) {
  std::map<std::uint64_t, std::int64_t> rows;
  std::vector<double> accuracies;
  for (const auto& [seed, run] : other)
    if (const auto found = best.find(seed); found != best.end())
      compare_runs(*found->second, *run, rows, accuracies);
  if (rows.empty()) return std::nullopt;
  GridComparison comparison{.difference = mean(accuracies), .rows = std::ssize(rows)};
  std::vector<std::int64_t> differences;
  for (const auto& [row, difference] : rows) {
    differences.push_back(difference);
    comparison.best_right += difference > 0 ? 1 : 0;
    comparison.this_right += difference < 0 ? 1 : 0;
  }
  comparison.rows_p = sign_flip_p_value(differences);
  comparison.seeds_p = paired_t_p_value(accuracies);
  return comparison;
}

/// Corrects the p values for all pairs of the `compared` combinations.
void correct(std::vector<CombinationFigures>& all, std::int64_t compared) {
  const std::int64_t pairs = compared * (compared - 1) / 2;
  std::vector<GridComparison*> of_rows;
  std::vector<GridComparison*> of_seeds;
  std::vector<double> rows_p;
  std::vector<double> seeds_p;
  for (CombinationFigures& figures : all) {
    if (!figures.against_best) continue;
    GridComparison& comparison = *figures.against_best;
    of_rows.push_back(&comparison);
    rows_p.push_back(comparison.rows_p);
    if (!comparison.seeds_p) continue;
    of_seeds.push_back(&comparison);
    seeds_p.push_back(*comparison.seeds_p);
  }
  const std::vector<double> rows = holm_corrected(rows_p, pairs);
  for (std::size_t i = 0; i < rows.size(); ++i) of_rows[i]->rows_p_corrected = rows[i];
  const std::vector<double> seeds = holm_corrected(seeds_p, pairs);
  for (std::size_t i = 0; i < seeds.size(); ++i) of_seeds[i]->seeds_p_corrected = seeds[i];
}

GridVerdict verdict_of(const CombinationFigures& figures) {
  if (!figures.against_best) return GridVerdict::equal;
  const GridComparison& comparison = *figures.against_best;
  // Ranked by another figure than the accuracy, the best need not be right more often.
  if (comparison.difference <= 0 || comparison.rows_p_corrected >= kSignificance)
    return GridVerdict::equal;
  if (figures.seeds < 2) return GridVerdict::worse;
  return comparison.seeds_p_corrected.value_or(1) < kSignificance ? GridVerdict::worse
                                                                  : GridVerdict::rows_only;
}

}  // namespace

std::optional<Spread> spread_of(std::span<const double> values) {
  if (values.empty()) return std::nullopt;
  return Spread{mean(values), sample_standard_deviation(values)};
}

std::vector<CombinationFigures> grid_figures(std::span<const GridRun> runs,
                                             std::size_t combinations, ValidationMetric metric) {
  std::vector<RunsBySeed> by_combination(combinations);
  for (const GridRun& run : runs) by_combination.at(run.combination)[run.seed] = &run;
  std::vector<CombinationFigures> all;
  for (std::size_t i = 0; i < combinations; ++i) all.push_back(figures_of(i, by_combination[i]));
  std::ranges::stable_sort(
      all, {}, [metric](const CombinationFigures& figures) { return rank_of(figures, metric); });
  const auto compared = std::ranges::count_if(
      all, [](const auto& figures) { return figures.verdict != GridVerdict::failed; });
  if (compared == 0) return all;
  for (std::size_t i = 1; i < static_cast<std::size_t>(compared); ++i)
    all[i].against_best =
        compare(by_combination[all.front().combination], by_combination[all[i].combination]);
  correct(all, compared);
  all.front().verdict = GridVerdict::best;
  for (std::size_t i = 1; i < static_cast<std::size_t>(compared); ++i)
    all[i].verdict = verdict_of(all[i]);
  return all;
}

}  // namespace diffuse
