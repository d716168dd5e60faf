#include "pretrain.hpp"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/signals.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/device/deterministic.hpp"
#include "diffuse/train/kernel_text.hpp"
#include "diffuse/train/memory_estimate.hpp"
#include "diffuse/train/way_on.hpp"
#include "exit_code.hpp"
#include "output.hpp"
#include "prepared_run.hpp"
#include "pretraining.hpp"
#include "run_directory.hpp"
#include "run_lock.hpp"
#include "startup_table.hpp"
#include "train_config.hpp"
#include "train_result.hpp"
#include "train_run.hpp"

namespace diffuse::cli {
namespace fs = std::filesystem;
namespace {

/// The flags of a training with the same data, without what texts alone have no use for.
TrainOptions training_options(const PretrainOptions& options) {
  TrainOptions training = options.training;
  training.kind = RunKind::pretraining;
  const auto sets = [&](const std::string& key) {
    return std::any_of(training.set.begin(), training.set.end(),
                       [&](const std::string& given) { return given.starts_with(key + "="); });
  };
  if (!options.texts.empty())
    training.set.push_back("pretrain.texts=" + nlohmann::json(options.texts).dump());
  if (options.length) training.set.push_back("train.pretrain=" + *options.length);
  if (!training.resume.empty()) return training;
  for (const char* key : {"ngrams.max", "ngrams.char_max"})
    if (!sets(key)) training.set.push_back(std::string(key) + "=0");
  if (!training.test && !sets("data.test")) training.set.emplace_back("data.test=");
  return training;
}

/// The flags of `training` that say of what data and model it is, each with a space before it.
std::string data_flags(const TrainOptions& training) {
  std::string flags;
  const auto add = [&](const char* flag, const std::string& value) {
    if (!value.empty()) flags += fmt::format(" {} {}", flag, shell_quoted(value));
  };
  add("--config", training.config);
  add("--train", training.train.value_or(""));
  for (const std::string& setting : training.set)
    if (!setting.starts_with("pretrain.") && !setting.starts_with("train.pretrain="))
      add("--set", setting);
  return flags;
}

/// Throws UsageError by the flag's name, where the config would tell of the key's.
void check_length(const std::string& length) {
  try {
    if (parse_length(length).value > 0) return;
  } catch (const ConfigError&) {  // told below
  }
  throw UsageError(
      fmt::format("--length {}: expected epochs, updates or minutes, such as 11e, 20000u or 10m.",
                  printable(length)));
}

/// The config, before the texts are read. Throws UsageError where nothing says how long to learn.
Config config_with_length(const TrainOptions& training, const std::optional<std::string>& length) {
  const auto complain = [] {
    throw UsageError("--length LENGTH is missing: how long to learn, \"10m\" for ten minutes.");
  };
  // Without a config values would be chosen first, by the data.
  if (training.config.empty() && training.resume.empty() &&
      std::ranges::none_of(training.set, [](const std::string& given) {
        return given.starts_with("train.pretrain=");
      }))
    complain();
  if (length) check_length(*length);
  Config config = checked_config(training);
  if (config.train.pretrain.empty()) complain();
  return config;
}

std::string summary(const TrainingResult& result, const TrainOptions& given,
                    const fs::path& run_dir) {
  const std::string run = relative_if_shorter(run_dir);
  return fmt::format(
      "pretraining time  {}\nrun directory     {}\n\nNext:\n  diffuse train{} --init {}{}\n",
      format_duration(result.training_time_s), run, data_flags(given), shell_quoted(run),
      given.resume.empty() ? "" : "    (and the config or files of the first call)");
}

std::string summary_json(const TrainingResult& result, const fs::path& run_dir) {
  const nlohmann::ordered_json json = {{"updates", result.updates},
                                       {"training_time_s", result.training_time_s},
                                       {"run_directory", run_dir.string()},
                                       {"checkpoint", result.last_checkpoint.string()}};
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

CLI::App* setup_pretrain(CLI::App& app, PretrainOptions& options) {
  CLI::App* verb = app.add_subcommand(
      "pretrain", "Learn from texts without labels, for `train --init` to begin with");
  TrainOptions& training = options.training;
  add_run_options(*verb, training);
  verb->add_option("--text", options.texts,
                   "Further texts: one a line, or CSV, TSV or JSONL by name; may be repeated "
                   "(pretrain.texts)")
      ->type_name("FILE")
      ->allow_extra_args(false);
  verb->add_option("--length", options.length,
                   "How long: \"11e\" epochs, \"20000u\" updates, \"10m\" minutes (train.pretrain)")
      ->type_name("LENGTH");
  verb->add_flag("--json", training.json, "Print the result as one JSON object");
  verb->footer(
      "Examples:\n"
      "  diffuse pretrain --config agnews.json --length 10m --out runs/words\n"
      "  diffuse train --config agnews.json --init runs/words\n"
      "  diffuse pretrain --config my.json --text more.txt --text archive.jsonl --length 20e\n"
      "  diffuse train --config my.json --set train.pretrain=10m    (both in one)\n");
  return verb;
}

int run_pretrain(const PretrainOptions& options) {
  log::hold_for_file();
  ignore_write_signals();
  catch_checkpoint_signals();
  const std::string start_time = utc_now();
  const TrainOptions training = training_options(options);
  PreparedRun run =
      prepare_run(config_with_length(training, options.length), {.resumed = training.resume});
  catch_stop_signals();
  const bool resumed = !training.resume.empty();
  const fs::path run_dir =
      resumed
          ? fs::path(training.resume)
          : create_run_directory(
                training.out, run_name(training.config, run.config.data.train.first()) + "-words",
                training.overwrite);
  const RunLock lock(run_dir);
  const RunFacts facts = facts_of(run, training, start_time);
  if (resumed) {
    resume_run_directory(run_dir, run, facts);
  } else {
    clear_run_directory(run_dir, training.overwrite);
    start_run_directory(run_dir, run, facts);
  }
  write_or_warn("The run goes on without train.log",
                [&] { log::open_file((run_dir / "train.log").string()); });
  warn_of_memory(run.estimate, run.device);
  const DeterministicScope deterministic(wants_deterministic(run.kernel, run.device));
  TrainingResult result;
  with_way_on([&] { return way_on_from(run_dir, "pretrain"); },
              [&] { result = pretrain(run, run_dir); });
  if (result.stopped_by_signal != 0) {
    log::warning("Stopped by {} after {} updates. Go on with:\n  diffuse pretrain --resume {}",
                 signal_name(result.stopped_by_signal), format_count(result.updates),
                 shell_quoted(relative_if_shorter(run_dir)));
    return kSignalBase + result.stopped_by_signal;
  }
  write_if_read(training.json ? summary_json(result, run_dir)
                              : summary(result, options.training, run_dir));
  log::close_file();
  return kDone;
}

}  // namespace diffuse::cli
