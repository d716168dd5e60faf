#include "grid_runs.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/eval/report.hpp"
#include "diffuse/report/run_history.hpp"
#include "run_directory.hpp"

namespace diffuse::cli {
namespace fs = std::filesystem;
namespace {

/// The most memory that the run in `dir` took, as its log says.
std::int64_t peak_memory(const fs::path& dir) {
  std::int64_t peak = 0;
  for (const HistoryEpoch& line : read_run_history(dir / "metrics.jsonl").epochs)
    peak = std::max(peak, line.memory.of_training());
  return peak;
}

/// Writes down the answers, and takes the figures into `run`.
void take_outcome(const RunOutcome& outcome, const Labels& labels, const fs::path& dir,
                  GridRun& run) {
  if (!outcome.evaluated)
    throw Error(
        fmt::format("{}: the run ended without an answer to its validation rows, by which "
                    "it is compared.",
                    dir.string()));
  const Evaluation& evaluation = *outcome.evaluated;
  write_predictions(dir / kGridAnswersFile, evaluation, labels);
  run.accuracy = evaluation.metrics.accuracy;
  run.macro_f1 = evaluation.metrics.macro_f1;
  run.loss = evaluation.metrics.mean_loss;
  run.rows = evaluation.metrics.count;
  run.updates = outcome.result.updates;
  run.best_update = outcome.result.best_update;
  run.training_time_s = outcome.result.training_time_s;
  run.memory_bytes = peak_memory(dir);
  run.answers = read_answers(dir);
}

}  // namespace

GridRuns::GridRuns(const GridPlan& plan, const TrainOptions& options, const std::string& start_time)
    : plan_(plan), options_(options), start_time_(start_time), parts_(plan.training_parts()) {}

void GridRuns::open(const fs::path& run_dir) {
  run_dir_ = run_dir;
  finished_ = read_results(run_dir, plan_.grid);
  done_before_ = std::ssize(finished_);
}

std::int64_t GridRuns::count() const {
  return std::ssize(plan_.grid.points) * plan_.settings.seeds;
}

bool GridRuns::is_finished(std::size_t combination, std::int64_t seed) const {
  return std::ranges::any_of(finished_, [&](const GridRun& run) {
    return run.combination == combination && run.seed == seed;
  });
}

bool GridRuns::train_all() {
  for (std::size_t c = 0; c < plan_.grid.points.size(); ++c) {
    for (std::int64_t number = 0; number < plan_.settings.seeds; ++number) {
      const std::int64_t seed = plan_.seed(number);
      if (!is_finished(c, seed) && !train(c, seed)) return false;
    }
    keep_the_best(c + 1);
  }
  return true;
}

bool GridRuns::have_model(std::size_t combination, std::int64_t seed) {
  if (!newest_checkpoint(grid_run_directory(run_dir_, combination, seed)).empty()) return true;
  log::info("The model of combination {}, seed {} was not kept; it is trained once more",
            combination + 1, seed);
  std::erase_if(finished_, [&](const GridRun& run) {
    return run.combination == combination && run.seed == seed;
  });
  return train(combination, seed);
}

/// Before a run is trained: throws UsageError unless `rows` validate with its seed in the other
/// combinations, too.
void GridRuns::check_rows(const DatasetView& rows, std::size_t combination,
                          std::int64_t seed) const {
  const std::vector<GridPoint>& points = plan_.grid.points;
  const std::string name = fmt::format("{}, seed {}", grid_point_text(points[combination]), seed);
  if (rows.size() == 0)
    throw UsageError(fmt::format(
        "{}: no row is left for validation, on which combinations are compared (every class keeps "
        "one for training, and equal texts stay together); expected more rows, or a file of them: "
        "--validation FILE.",
        name));
  const auto other = std::ranges::find_if(finished_, [&](const GridRun& run) {
    return run.seed == seed && run.combination != combination && !run.answers.empty();
  });
  if (other == finished_.end()) return;
  const auto number = [&](std::uint32_t row) { return rows.data->number(row); };
  if (std::ranges::equal(rows.rows, other->answers, {}, number, &RowAnswer::row)) return;
  throw UsageError(fmt::format(
      "{}: {} rows validate, and not the {} that do with {}: combinations are compared on the same "
      "rows. What is varied leaves other rows out as bad ones (data.on_error = skip), or another "
      "version began the grid; expected rows that every combination can use, or a new grid.",
      name, format_count(std::ssize(rows.rows)), format_count(std::ssize(other->answers)),
      grid_point_text(points[other->combination])));
}

bool GridRuns::train(std::size_t combination, std::int64_t seed) {
  const fs::path dir = grid_run_directory(run_dir_, combination, seed);
  const std::string name =
      fmt::format("{}, seed {}", grid_point_text(plan_.grid.points[combination]), seed);
  GridRun run{.combination = combination, .seed = seed};
  Labels labels;
  const std::vector<bool> validation = plan_.validation(seed);
  reset_peak_rss();
  try {
    const std::optional<RunOutcome> outcome =
        train_in(dir, plan_.config(combination, seed),
                 {.name = fmt::format("Run {} of {}: {}", finished_.size() + 1, count(), name),
                  .options = options_,
                  .start_time = start_time_,
                  .parts = parts(),
                  .validation = validation.empty() ? nullptr : &validation,
                  .no_test = true,
                  .brief = std::ssize(finished_) > done_before_,
                  .prepared = [&](const PreparedRun& prepared, const RunFacts&) {
                    check_rows(prepared.data.validation, combination, seed);
                    labels = prepared.data.labels;
                  }});
    if (!outcome) return false;
    take_outcome(*outcome, labels, dir, run);
  } catch (const TrainingError& error) {
    run.failure = error.what();
    log::warning("{}: {}", name, error.what());
    remove_checkpoints(dir);
  }
  finished_.push_back(std::move(run));
  write_results(run_dir_, plan_.grid, finished_);
  tell(finished_.back(), name);
  return true;
}

void GridRuns::tell(const GridRun& run, const std::string& name) const {
  std::string text = run.failure.empty()
                         ? fmt::format("validation accuracy {:.2f} %", 100 * run.accuracy)
                         : "failed";
  const std::int64_t left = count() - std::ssize(finished_);
  if (left > 0) {
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start_;
    const auto here = static_cast<double>(std::ssize(finished_) - done_before_);
    text += fmt::format(
        "; {} run{} left, about {}", left, left == 1 ? "" : "s",
        format_duration(remaining_s(elapsed.count(), here, here + static_cast<double>(left))));
  }
  log::info("{}: {}", name, text);
}

void GridRuns::keep_the_best(std::size_t combinations) const {
  if (plan_.settings.keep_checkpoints) return;
  std::vector<GridRun> runs;
  for (const GridRun& run : finished_) {
    if (run.combination >= combinations) continue;
    runs.push_back(run);
    runs.back().answers.clear();  // ranked, not compared
  }
  const auto figures = grid_figures(runs, combinations, plan_.base.train.metric);
  for (std::size_t i = 1; i < figures.size(); ++i)
    for (std::int64_t number = 0; number < plan_.settings.seeds; ++number)
      remove_checkpoints(grid_run_directory(run_dir_, figures[i].combination, plan_.seed(number)));
}

}  // namespace diffuse::cli
