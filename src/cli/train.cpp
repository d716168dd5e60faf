#include "train.hpp"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <map>

#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/signals.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/eval/report.hpp"
#include "diffuse/model/checkpoint.hpp"
#include "diffuse/model/model_factory.hpp"
#include "diffuse/train/memory_estimate.hpp"
#include "diffuse/train/trainer.hpp"
#include "evaluation.hpp"
#include "exit_code.hpp"
#include "manifest.hpp"
#include "output.hpp"
#include "overrides.hpp"
#include "run_directory.hpp"
#include "startup_table.hpp"

namespace diffuse::cli {
namespace fs = std::filesystem;
namespace {

/// The values that the command line lays over the config, and the flag each key came by.
struct CommandLineValues {
  Overrides overrides;
  std::map<std::string, std::string> flags;
};

CommandLineValues command_line_values(const TrainOptions& options,
                                      std::vector<std::string>& faults) {
  CommandLineValues values{parse_overrides(options.set, faults), {}};
  const auto lay_over = [&](const char* flag, const char* key,
                            const std::optional<std::string>& value) {
    if (!value) return;
    values.overrides.emplace_back(key, *value);
    values.flags[key] = flag;
  };
  lay_over("--train", "data.train", options.train);
  lay_over("--test", "data.test", options.test);
  lay_over("--validation", "data.validation", options.validation);
  lay_over("--device", "train.device", options.device);
  lay_over("--threads", "train.threads", options.threads);
  return values;
}

Config read_config(const TrainOptions& options, const CommandLineValues& values) {
  try {
    if (!options.config.empty()) {
      return load_config(find_config(options.config), values.overrides, FileChecks::training);
    }
    if (options.train) return default_config(values.overrides, FileChecks::training);
    // A config may be wanted in the first place, so nothing is said of files.
    Config config = default_config(values.overrides);
    if (!config.data.train.empty()) return default_config(values.overrides, FileChecks::training);
  } catch (const ConfigError& error) {
    throw ConfigError(name_flags(error.what(), values.flags));
  }
  throw UsageError(
      "There is nothing to train on: give --config FILE, or --train FILE for the defaults.");
}

/// The config, after whatever can be found wrong before any work; all of it at once.
Config checked_config(const TrainOptions& options) {
  std::vector<std::string> faults;
  bool users_mistake = false;
  const auto collect = [&](auto&& check) {
    try {
      check();
    } catch (const UserError& error) {
      users_mistake = true;
      faults.emplace_back(error.what());
    } catch (const SystemError& error) {  // a device that cannot be used
      faults.emplace_back(error.what());
    }
  };
  const CommandLineValues values = command_line_values(options, faults);
  users_mistake = !faults.empty();
  std::optional<Config> config;
  collect([&] { config = read_config(options, values); });
  if (config) collect([&] { check_data_settings(config->data, config->tokenizer); });
  // The first thing that touches the device: ATen remembers its first answer about CUDA.
  if (config || options.device)
    collect([&] { resolve_device(config ? config->train.device : *options.device); });
  collect([&] { check_run_directory(options.out); });
  if (faults.empty() && config) return *config;
  if (users_mistake) throw UsageError(join(faults, "\n"));
  throw SystemError(join(faults, "\n"));
}

std::string relative_if_shorter(const fs::path& path) {
  std::error_code error;
  const std::string relative = fs::proximate(path, error).string();
  return !error && !relative.empty() && relative.size() < path.string().size() ? relative
                                                                               : path.string();
}

/// Tests the checkpoint once; also writes `test.json`.
Evaluation test_checkpoint(const Config& config, const TrainingData& data, const fs::path& folder,
                           at::Device device, const fs::path& run_dir) {
  LoadedModel best = load_model(folder);
  best.classifier->to(device);
  EvaluationOptions options;
  options.class_count = data.labels.size();
  options.noise_seed = config.train.seed;
  Evaluation evaluation = evaluate_with_progress(*best.classifier, data.test, options, "testing");
  write_file_atomically(run_dir / "test.json", evaluation_json(evaluation, data.labels) + "\n");
  return evaluation;
}

std::string summary(const TrainingResult& result, const TrainingData& data,
                    const std::optional<Evaluation>& test, const fs::path& run_dir) {
  std::string text;
  if (test) text += "test " + accuracy_line(test->metrics) + "\n";
  if (data.validation.size() > 0) {
    text += fmt::format("validation accuracy  {:.2f} %  n = {}  at update {} of {}{}\n",
                        100 * result.best_accuracy,
                        format_count(static_cast<long long>(data.validation.size())),
                        format_count(result.best_update), format_count(result.updates),
                        result.stopped_early ? " (stopped early)" : "");
  }
  const std::string run = relative_if_shorter(run_dir);
  text += fmt::format("training time  {}\n", format_duration(result.training_time_s));
  text += fmt::format("run directory  {}\n", run);
  const std::string quoted = shell_quoted(run);
  text += "\nNext:\n";
  text += fmt::format("  diffuse eval --checkpoint {}{}\n", quoted, test ? "" : " --data FILE");
  text += fmt::format("  echo 'a text to classify' | diffuse predict --checkpoint {}\n", quoted);
  return text;
}

}  // namespace

CLI::App* setup_train(CLI::App& app, TrainOptions& options) {
  CLI::App* verb = app.add_subcommand("train", "Train a classifier on labelled texts");
  verb->add_option("--config", options.config,
                   "Config file: a path, or a name in the project's configs folder")
      ->type_name("FILE");
  verb->add_option("--train", options.train, "Labelled texts to train on (data.train)")
      ->type_name("FILE");
  verb->add_option("--test", options.test, "Labelled texts to test on once (data.test)")
      ->type_name("FILE");
  verb->add_option("--validation", options.validation,
                   "Labelled texts that choose the best checkpoint (data.validation)")
      ->type_name("FILE");
  verb->add_option("--set", options.set, "Lay a value over the config; may be repeated")
      ->option_text("KEY=VALUE")
      ->allow_extra_args(false);
  verb->add_option("--out", options.out,
                   "Run directory, new or empty; default: runs/<config name>, numbered when taken")
      ->type_name("DIR");
  verb->add_option("--device", options.device, "auto, cpu, cuda or cuda:N (train.device)")
      ->type_name("NAME");
  verb->add_option("--threads", options.threads, "Threads of the CPU; 0: all (train.threads)")
      ->type_name("N");
  verb->add_flag("--dry-run", options.dry_run,
                 "Check everything, read the data and print the start-up table; write nothing");
  verb->footer(
      "Examples:\n"
      "  diffuse train --config r8.json\n"
      "  diffuse train --train my.csv --test my-test.csv --out runs/mine\n"
      "  diffuse train --config agnews.json --set data.max_rows=10000 --set train.length=2e\n"
      "  diffuse train --config my.json --dry-run\n");
  return verb;
}

int run_train(const TrainOptions& options) {
  log::hold_for_file();
  const Config config = checked_config(options);
  const at::Device device = resolve_device(config.train.device);
  const int threads = set_thread_count(config.train.threads);
  const std::string start_time = utc_now();
  DataConfig data_config = config.data;
  if (options.dry_run) data_config.cache = false;  // it writes nothing, not even there
  const TrainingData data =
      load_training_data(data_config, config.tokenizer, config.train.seed, threads);
  const ModelShape shape = {data.tokenizer->vocab_size(), data.labels.size(),
                            data.tokenizer->mask_id()};

  StartupFacts startup;
  startup.device = device_description(device);
  startup.threads = threads;
  startup.parameter_count = count_parameters(config.model, shape);
  const MemoryEstimate estimate = estimate_memory(config, startup.parameter_count, data.train);
  if (options.dry_run) {
    startup.memory = describe(estimate);
    write_output(startup_table(config, data, startup));
    return kDone;
  }

  const fs::path run_dir =
      create_run_directory(options.out, run_name(options.config, config.data.train));
  write_file_atomically(run_dir / "config.json", config_json(config) + "\n");
  write_file_atomically(run_dir / "manifest.json",
                        manifest_json({options.arguments, start_time, device.str(), startup.device,
                                       threads, startup.parameter_count, data.hashes},
                                      config));
  log::open_file((run_dir / "train.log").string());
  startup.run_directory = relative_if_shorter(run_dir);
  log::info("Training\n{}", startup_table(config, data, startup));
  log_estimate(estimate, device);  // before the classifier, which may be too large, is made

  catch_stop_signals();
  const std::unique_ptr<Classifier> classifier =
      make_classifier(config.model, shape, config.train.seed);
  const TrainingResult result = train(config, data, *classifier, run_dir);
  if (result.stopped_by_signal != 0) {
    log::warning("Stopped by {} after {} updates; the last checkpoint is {}",
                 result.stopped_by_signal == 2 ? "SIGINT" : "SIGTERM", format_count(result.updates),
                 result.last_checkpoint.string());
    return kSignalBase + result.stopped_by_signal;
  }
  std::optional<Evaluation> test;
  if (data.test.size() > 0) {
    test = test_checkpoint(config, data, result.best_checkpoint, device, run_dir);
  }
  const std::string text = summary(result, data, test, run_dir);
  log::debug("Result\n{}", text);
  write_output(text);
  log::close_file();
  return kDone;
}

}  // namespace diffuse::cli
