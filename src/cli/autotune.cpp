#include "autotune.hpp"

#include <fmt/core.h>

#include <filesystem>
#include <vector>

#include "default_recipes.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/quiet_log.hpp"
#include "diffuse/base/random.hpp"
#include "diffuse/base/signals.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/train/way_on.hpp"
#include "diffuse/tune/search_space.hpp"
#include "exit_code.hpp"
#include "output.hpp"
#include "prepared_run.hpp"
#include "run_directory.hpp"
#include "run_lock.hpp"
#include "startup_table.hpp"
#include "train_config.hpp"
#include "train_result.hpp"
#include "train_run.hpp"
#include "tuning.hpp"
#include "tuning_journal.hpp"

namespace diffuse::cli {
namespace fs = std::filesystem;
namespace {

/// Keys that the command line gives stay as they are.
std::vector<std::string> given_keys(const TrainOptions& options) {
  std::vector<std::string> keys;
  for (const std::string& item : options.set) keys.push_back(item.substr(0, item.find('=')));
  return keys;
}

Config tuned_config(const TrainOptions& options) {
  if (!options.autotune.empty()) parse_tuning_budget(options.autotune);
  Config config = checked_config(options);
  if (config.model.type != ModelType::diffusion)
    throw UsageError(
        fmt::format("--autotune chooses for model.type = diffusion; of {} there is nothing to "
                    "choose.",
                    enum_name(config.model.type)));
  return config;
}

class AutotunedRun {
 public:
  AutotunedRun(const TrainOptions& options, const std::string& start_time)
      : options_(options), start_time_(start_time), start_(tuned_config(options)) {}

  int run() {
    if (options_.dry_run) {
      const PreparedRun run = prepare_run(start_, {.dry_run = true});
      write_output(
          (options_.json ? startup_json : startup_table)(run.config, run.data, run.startup));
      return kDone;
    }
    const bool resumed = !options_.resume.empty();
    settings_ = resumed
                    ? read_tuning_settings(options_.resume).value()
                    : TuningSettings{.budget = options_.autotune, .fixed = given_keys(options_)};
    // Before there is a folder: there may be nothing to choose, or too few rows to choose by, or
    // data that are refused. Whoever stops it then leaves none behind, and stops it at once.
    std::optional<TunedRows> rows;
    if (!settings_.chosen) {
      space_ = search_space(start_, settings_.fixed);
      if (space_.empty())
        throw UsageError(
            "--autotune: every key that it varies is given; nothing is left to choose.");
      rows = read_tuned_rows(start_);
    }
    if (!resumed) check_data();
    catch_stop_signals();
    if (resumed) {
      run_dir_ = options_.resume;
    } else {
      run_dir_ = create_run_directory(
          options_.out, run_name(options_.config, start_.data.train.first()), options_.overwrite);
    }
    const RunLock lock(run_dir_);
    if (!resumed) {
      clear_run_directory(run_dir_, options_.overwrite);
      write_file_atomically(run_dir_ / "config.json", config_json(start_) + "\n");
      write_tuning_settings(run_dir_, settings_);
    }
    write_or_warn("The run goes on without train.log",
                  [&] { log::open_file((run_dir_ / "train.log").string()); });
    try {
      // Stopped between its choice and the first checkpoint, its config is what was chosen.
      Config chosen = start_;
      if (rows)
        with_way_on(
            [&] {
              return fmt::format(
                  "What was measured stands. Go on with:\n  diffuse train --resume {}",
                  shell_quoted(relative_if_shorter(run_dir_)));
            },
            [&] { chosen = search(*std::move(rows)); });
      return train_chosen(chosen);
    } catch (const Stopped& stop) {
      log::warning("Stopped by {} in the search; go on with:\n  diffuse train --resume {}",
                   signal_name(stop.signal), shell_quoted(relative_if_shorter(run_dir_)));
      return kSignalBase + stop.signal;
    }
  }

 private:
  /// Reads all data that the training of what is chosen will read: a file that is refused there,
  /// such as that of the test, is refused before the search.
  void check_data() const {
    const log::QuietLog quiet;  // the training tells of them
    prepare_run(start_, {});
  }

  Config search(TunedRows rows) {
    Tuning tuning(start_, settings_.budget, run_dir_, std::move(rows));
    Random random(mix_seed(static_cast<std::uint64_t>(start_.train.seed), kSearchStream));
    TuningOptions options{.rungs = tuning.rungs(),
                          .paired = start_.train.metric == ValidationMetric::accuracy};
    options.affordable = [&] {
      return tuning.affordable_bracket(options.bracket, options.reduction);
    };
    log::info("searching a configuration within {}, measured on {}; {} keys vary", settings_.budget,
              tuning.rows_text(), space_.size());
    const TuningResult result = successive_halving(
        start_, recipes(), options, [&](const TuningStep& step) { return tuning.measure(step); },
        [&](const Config& best) { return changed_at_random(best, space_, random); });
    settings_.changes = changes_text(start_, result.best);
    log::info("chosen of {} candidates, {}: {}", result.candidates, tuning.used_text(),
              settings_.changes);
    if (result.brackets == 0 && result.candidates > 1)
      log::warning(
          "--autotune {}: its time was over before the first round of {} candidates was, for some "
          "took longer than what was there at the beginning, which is taken. Give it more.",
          settings_.budget, result.candidates - 1);
    else if (result.brackets == 0)
      log::warning(
          "--autotune {}: too little for even the smallest round of the search, which takes about "
          "{}; what was there at the beginning is taken.",
          settings_.budget, tuning.least_text(options.reduction));
    return result.best;
  }

  /// What the defaults take for other data, as far as it is not given.
  std::vector<Config> recipes() const {
    if (start_.model.dim == 0) return {};
    Overrides given;
    for (const std::string& key : settings_.fixed) given.emplace_back(key, "");
    return default_recipes(start_, given);
  }

  int train_chosen(const Config& chosen) {
    PreparedRun run = prepare_run(chosen, {});
    start_run_directory(run_dir_, run, facts_of(run, options_, start_time_));
    settings_.chosen = true;
    write_tuning_settings(run_dir_, settings_);
    return train_and_tell(run, run_dir_, options_);
  }

  static constexpr std::uint64_t kSearchStream = 0x74756e65;  // of the seed's numbers, its own

  const TrainOptions& options_;
  const std::string& start_time_;
  Config start_;
  fs::path run_dir_;
  TuningSettings settings_;
  std::vector<TunedKey> space_;  // what varies in it
};

}  // namespace

int run_autotuned(const TrainOptions& options, const std::string& start_time) {
  return AutotunedRun(options, start_time).run();
}

}  // namespace diffuse::cli
