#include "grid.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>

#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/signals.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/eval/report.hpp"
#include "diffuse/report/run_history.hpp"
#include "evaluation.hpp"
#include "exit_code.hpp"
#include "grid_output.hpp"
#include "grid_plan.hpp"
#include "grid_store.hpp"
#include "output.hpp"
#include "run_directory.hpp"
#include "run_lock.hpp"
#include "subrun.hpp"
#include "train_result.hpp"

namespace diffuse::cli {
namespace fs = std::filesystem;
namespace {

using Clock = std::chrono::steady_clock;

/// The most memory that the run in `dir` took, as its log says.
std::int64_t peak_memory(const fs::path& dir) {
  std::int64_t peak = 0;
  for (const HistoryEpoch& line : read_run_history(dir / "metrics.jsonl").epochs)
    peak = std::max(peak, line.memory.of_training());
  return peak;
}

class GridTraining {
 public:
  GridTraining(const GridOptions& options, const std::string& start_time)
      : options_(options),
        start_time_(start_time),
        resumed_(!options.training.resume.empty()),
        plan_(plan_grid(options)),
        parts_(plan_.training_parts()) {}

  int run() {
    std::optional<PreparedRun> base = prepare_run(
        plan_.base, {.dry_run = options_.training.dry_run, .parts = parts(), .no_test = true});
    validation_rows_ = static_cast<std::int64_t>(base->data.validation.size());
    if (validation_rows_ == 0)
      throw UsageError(
          "The config sets no validation rows aside, on which combinations are compared: --set "
          "data.validation_fraction=0.2 does, or --validation FILE.");
    if (options_.training.dry_run) {
      write_output(
          (options_.training.json ? grid_plan_json : grid_plan_text)(plan_, validation_rows_));
      return kDone;
    }
    catch_stop_signals();
    const TrainOptions& training = options_.training;
    run_dir_ =
        resumed_ ? fs::path(training.resume)
                 : create_run_directory(training.out,
                                        run_name(training.config, plan_.base.data.train) + "-grid",
                                        training.overwrite);
    const RunLock lock(run_dir_);
    begin(*base);
    base.reset();  // as large as a run's own data
    for (std::size_t c = 0; c < plan_.grid.points.size(); ++c) {
      for (std::int64_t seed = 0; seed < plan_.settings.seeds; ++seed)
        if (!has_result(c, plan_.seed(seed)) && !train_one(c, plan_.seed(seed))) return stopped();
      keep_the_best(c + 1);
    }
    return finish();
  }

 private:
  const RowParts* parts() const { return parts_.train.empty() ? nullptr : &parts_; }

  /// Writes down what the grid is made of; one that goes on is checked to be on the same data, and
  /// what it has finished is read.
  void begin(const PreparedRun& base) {
    const RunFacts facts = facts_of(base, options_.training, start_time_);
    if (resumed_) {
      resume_run_directory(run_dir_, base, facts);
      runs_ = read_results(run_dir_, plan_.grid);
    } else {
      clear_run_directory(run_dir_, options_.training.overwrite);
      start_run_directory(run_dir_, base, facts);
    }
    write_grid(run_dir_, plan_.settings, plan_.grid);
    write_or_warn("The grid goes on without train.log",
                  [&] { log::open_file((run_dir_ / "train.log").string()); });
    const std::int64_t all = run_count();
    log::info("{} runs: {} combinations, {} seed{} each, compared on {} validation rows{}",
              format_count(all), format_count(std::ssize(plan_.grid.points)), plan_.settings.seeds,
              plan_.settings.seeds == 1 ? "" : "s", format_count(validation_rows_),
              runs_.empty() ? "" : fmt::format("; {} done before", runs_.size()));
    done_before_ = std::ssize(runs_);
  }

  std::int64_t run_count() const { return std::ssize(plan_.grid.points) * plan_.settings.seeds; }

  bool has_result(std::size_t combination, std::int64_t seed) const {
    return std::ranges::any_of(runs_, [&](const GridRun& run) {
      return run.combination == combination && run.seed == seed;
    });
  }

  /// Trains a run and writes its result. False where a signal ended it.
  bool train_one(std::size_t combination, std::int64_t seed) {
    const fs::path dir = grid_run_directory(run_dir_, combination, seed);
    const std::string name =
        fmt::format("{}, seed {}", grid_point_text(plan_.grid.points[combination]), seed);
    GridRun run{.combination = combination, .seed = seed};
    Labels labels;
    reset_peak_rss();
    try {
      const std::optional<RunOutcome> outcome =
          train_in(dir, plan_.config(combination, seed),
                   {.name = fmt::format("Run {} of {}: {}", runs_.size() + 1, run_count(), name),
                    .options = options_.training,
                    .start_time = start_time_,
                    .parts = parts(),
                    .no_test = true,
                    .prepared = [&labels](const PreparedRun& prepared, const RunFacts&) {
                      labels = prepared.data.labels;
                    }});
      if (!outcome) return false;
      take_outcome(*outcome, labels, dir, run);
    } catch (const TrainingError& error) {
      run.failure = error.what();
      log::warning("{}: {}", name, error.what());
      remove_checkpoints(dir);
    }
    runs_.push_back(std::move(run));
    write_results(run_dir_, plan_.grid, runs_);
    tell(runs_.back(), name);
    return true;
  }

  static void take_outcome(const RunOutcome& outcome, const Labels& labels, const fs::path& dir,
                           GridRun& run) {
    const Evaluation& evaluation = outcome.evaluated.value();
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

  void tell(const GridRun& run, const std::string& name) const {
    const std::int64_t here = std::ssize(runs_) - done_before_;
    const std::int64_t left = run_count() - std::ssize(runs_);
    const double elapsed_s = std::chrono::duration<double>(Clock::now() - start_).count();
    log::info("{}: {}{}", name,
              run.failure.empty() ? fmt::format("validation accuracy {:.2f} %", 100 * run.accuracy)
                                  : "failed",
              left <= 0
                  ? ""
                  : fmt::format("; {} run{} left, about {}", left, left == 1 ? "" : "s",
                                format_duration(remaining_s(elapsed_s, static_cast<double>(here),
                                                            static_cast<double>(here + left)))));
  }

  /// Removes the models of the first `finished` combinations but for the best of them.
  void keep_the_best(std::size_t finished) {
    if (plan_.settings.keep_checkpoints) return;
    std::vector<GridRun> runs;
    for (const GridRun& run : runs_) {
      if (run.combination >= finished) continue;
      runs.push_back(run);
      runs.back().answers.clear();
    }
    const auto figures = grid_figures(runs, finished, plan_.base.train.metric);
    for (std::size_t i = 1; i < figures.size(); ++i)
      for (std::int64_t seed = 0; seed < plan_.settings.seeds; ++seed)
        remove_checkpoints(grid_run_directory(run_dir_, figures[i].combination, plan_.seed(seed)));
  }

  int finish() {
    GridSummary summary{.report = report(), .run_dir = run_dir_};
    const DataConfig& data = plan_.base.data;
    summary.has_test = !data.test.empty() || data.test_fraction > 0;
    const CombinationFigures& first = summary.report.figures.front();
    if (first.verdict == GridVerdict::best) {
      const std::size_t best = first.combination;
      write_file_atomically(run_dir_ / "best.json",
                            config_json(plan_.grid.points[best].config) + "\n");
      summary.test = read_grid_test(run_dir_);
      if (summary.test && !is_test_of(*summary.test, best)) summary.test.reset();
      try {
        if (options_.test && !summary.test) summary.test = test(best);
      } catch (const Stopped&) {
        return stopped();
      }
      if (options_.test && !summary.test) return stopped();
    } else if (options_.test) {
      log::warning("--test: no combination has figures for all of its seeds; none was tested.");
    }
    write_file_atomically(run_dir_ / "grid.html", grid_report_html(summary.report));
    const std::string json = grid_summary_json(summary, plan_.grid);
    write_file_atomically(run_dir_ / "summary.json", json);
    const std::string text = grid_text(summary);
    log::debug("Result\n{}", text);
    if (!write_if_read(options_.training.json ? json : text))
      log::warning("Nobody reads stdout any more; the summary was not written.");
    log::close_file();
    return kDone;
  }

  GridReport report() const {
    GridReport report{
        .name = fs::absolute(run_dir_).lexically_normal().filename().string(),
        .keys = plan_.grid.keys,
        .values = {},
        .figures = grid_figures(runs_, plan_.grid.points.size(), plan_.base.train.metric),
        .runs = runs_,
        .metric = plan_.base.train.metric,
        .seeds = plan_.settings.seeds,
        .rows = validation_rows_};
    for (const GridPoint& point : plan_.grid.points) {
      std::vector<std::string>& values = report.values.emplace_back();
      for (const auto& [key, value] : point.values) values.push_back(grid_value_text(value));
    }
    return report;
  }

  bool is_test_of(const GridTest& test, std::size_t combination) const {
    return test.combination == combination && std::ssize(test.seeds) == plan_.settings.seeds;
  }

  /// Lets the models of `combination` answer the test rows; nothing where a signal ended it. Those
  /// that were not kept are trained again.
  std::optional<GridTest> test(std::size_t combination) {
    const bool part = plan_.base.data.test.empty();
    GridTest test{.combination = combination};
    for (std::int64_t number = 0; number < plan_.settings.seeds; ++number) {
      const std::int64_t seed = plan_.seed(number);
      const fs::path dir = grid_run_directory(run_dir_, combination, seed);
      if (newest_checkpoint(dir).empty() && !train_again(combination, seed)) return std::nullopt;
      ModelOptions model;
      model.checkpoint = dir.string();
      model.device = plan_.base.train.device;
      model.threads = plan_.base.train.threads;
      model.precision = plan_.base.train.precision;
      OpenedModel opened = open_model(model);
      const Evaluation evaluation =
          evaluate_file(opened, part ? plan_.base.data.train : plan_.base.data.test,
                        part ? &plan_.parts.test : nullptr, model.batch_size);
      test.seeds.push_back(seed);
      test.accuracies.push_back(evaluation.metrics.accuracy);
      if (evaluation.metrics.macro_f1) test.macro_f1s.push_back(*evaluation.metrics.macro_f1);
      test.rows = evaluation.metrics.count;
    }
    write_file_atomically(run_dir_ / "test.json", grid_test_json(test));
    return test;
  }

  bool train_again(std::size_t combination, std::int64_t seed) {
    log::info("The model of combination {}, seed {} was not kept; it is trained once more",
              combination + 1, seed);
    std::erase_if(runs_, [&](const GridRun& run) {
      return run.combination == combination && run.seed == seed;
    });
    return train_one(combination, seed);
  }

  int stopped() const {
    log::warning(
        "Stopped by {}; finished runs stay as they are. Go on with:\n  diffuse grid --resume {}{}",
        signal_name(stop_signal()), shell_quoted(relative_if_shorter(run_dir_)),
        options_.test ? " --test" : "");
    return kSignalBase + stop_signal();
  }

  const GridOptions& options_;
  const std::string& start_time_;
  bool resumed_;
  GridPlan plan_;
  RowParts parts_;  ///< of the training file, for the runs
  std::int64_t validation_rows_ = 0;
  fs::path run_dir_;
  std::vector<GridRun> runs_;  ///< that are done
  std::int64_t done_before_ = 0;
  Clock::time_point start_ = Clock::now();
};

}  // namespace

int run_grid(const GridOptions& options) {
  log::hold_for_file();
  ignore_write_signals();
  catch_checkpoint_signals();
  const std::string start_time = utc_now();
  return GridTraining(options, start_time).run();
}

}  // namespace diffuse::cli
