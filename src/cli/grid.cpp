#include "grid.hpp"

#include <fmt/core.h>

#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/signals.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/train/way_on.hpp"
#include "evaluation.hpp"
#include "exit_code.hpp"
#include "grid_output.hpp"
#include "grid_plan.hpp"
#include "grid_runs.hpp"
#include "output.hpp"
#include "run_directory.hpp"
#include "run_lock.hpp"
#include "train_result.hpp"

namespace diffuse::cli {
namespace fs = std::filesystem;
namespace {

class GridTraining {
 public:
  GridTraining(const GridOptions& options, const std::string& start_time)
      : options_(options),
        start_time_(start_time),
        plan_(plan_grid(options)),
        runs_(plan_, options.training, start_time) {}

  int run() {
    const TrainOptions& training = options_.training;
    const std::vector<bool> validation = plan_.validation(plan_.base.train.seed);
    std::optional<PreparedRun> base =
        prepare_run(plan_.base, {.dry_run = training.dry_run,
                                 .parts = runs_.parts(),
                                 .validation = validation.empty() ? nullptr : &validation,
                                 .no_test = true});
    validation_rows_ = static_cast<std::int64_t>(base->data.validation.size());
    if (validation_rows_ == 0)
      throw UsageError(
          "The config sets no validation rows aside, on which combinations are compared: --set "
          "data.validation_fraction=0.2 does, or --validation FILE.");
    if (training.dry_run) {
      write_output((training.json ? grid_plan_json : grid_plan_text)(plan_, validation_rows_));
      return kDone;
    }
    catch_stop_signals();
    run_dir_ =
        !training.resume.empty()
            ? fs::path(training.resume)
            : create_run_directory(
                  training.out, run_name(training.config, plan_.base.data.train.first()) + "-grid",
                  training.overwrite);
    const RunLock lock(run_dir_);
    base->config = plan_.base;  // what it chose by its data, each run chooses by its own
    begin(*base);
    base.reset();  // as large as a run's own data
    int code = kDone;
    with_way_on(
        [&] {
          return fmt::format(
              "Finished runs stay as they are. Go on with:\n  diffuse grid --resume {}",
              shell_quoted(relative_if_shorter(run_dir_)));
        },
        [&] { code = runs_.train_all() ? finish() : stopped(); });
    return code;
  }

 private:
  /// Writes down what the grid is made of; one that goes on is checked to be on the same data.
  void begin(const PreparedRun& base) {
    const RunFacts facts = facts_of(base, options_.training, start_time_);
    if (!options_.training.resume.empty()) {
      resume_run_directory(run_dir_, base, facts);
    } else {
      clear_run_directory(run_dir_, options_.training.overwrite);
      start_run_directory(run_dir_, base, facts);
    }
    runs_.open(run_dir_);
    write_grid(run_dir_, plan_.settings, plan_.grid);
    write_or_warn("The grid goes on without train.log",
                  [&] { log::open_file((run_dir_ / "train.log").string()); });
    log::info(
        "{} runs: {} combination{}, {} seed{} each, compared on {} validation rows{}",
        format_count(runs_.count()), format_count(std::ssize(plan_.grid.points)),
        plan_.grid.points.size() == 1 ? "" : "s", plan_.settings.seeds,
        plan_.settings.seeds == 1 ? "" : "s", format_count(validation_rows_),
        runs_.finished().empty() ? "" : fmt::format("; {} done before", runs_.finished().size()));
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
      if (summary.test && !is_test_of(*summary.test, best)) {
        if (options_.test)
          log::warning(
              "test.json is of combination {} with {} seeds; the test rows are read once more",
              summary.test->combination + 1, summary.test->seeds.size());
        summary.test.reset();
      }
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
    GridReport report{.name = fs::absolute(run_dir_).lexically_normal().filename().string(),
                      .keys = plan_.grid.keys,
                      .values = {},
                      .figures = grid_figures(runs_.finished(), plan_.grid.points.size(),
                                              plan_.base.train.metric),
                      .runs = runs_.finished(),
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
      if (!runs_.have_model(combination, seed)) return std::nullopt;
      ModelOptions model;
      model.checkpoint = dir.string();
      model.device = plan_.base.train.device;
      model.threads = plan_.base.train.threads;
      model.precision = plan_.base.train.precision;
      OpenedModel opened = open_model(model);
      const Evaluation evaluation =
          evaluate_file(opened, part ? plan_.base.data.train : InputFiles(plan_.base.data.test),
                        part ? &plan_.parts.test : nullptr, model.batch_size);
      test.seeds.push_back(seed);
      test.accuracies.push_back(evaluation.metrics.accuracy);
      if (evaluation.metrics.macro_f1) test.macro_f1s.push_back(*evaluation.metrics.macro_f1);
      test.rows = evaluation.metrics.count;
    }
    write_file_atomically(run_dir_ / "test.json", grid_test_json(test));
    return test;
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
  GridPlan plan_;
  GridRuns runs_;
  std::int64_t validation_rows_ = 0;
  fs::path run_dir_;
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
