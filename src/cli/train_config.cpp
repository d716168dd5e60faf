#include "train_config.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>

#include "default_choices.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/data/loading.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/model/model_factory.hpp"
#include "manifest.hpp"
#include "moved_files.hpp"
#include "overrides.hpp"
#include "run_directory.hpp"
#include "run_lock.hpp"

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
    const bool set = std::any_of(values.overrides.begin(), values.overrides.end(),
                                 [&](const auto& given) { return given.first == key; });
    if (set) faults.push_back(fmt::format("{} and --set {} say the same; give one", flag, key));
    values.overrides.emplace_back(key, *value);
    values.flags[key] = flag;
  };
  lay_over("--train", "data.train", options.train);
  lay_over("--test", "data.test", options.test);
  lay_over("--test-fraction", "data.test_fraction", options.test_fraction);
  lay_over("--validation", "data.validation", options.validation);
  lay_over("--init", "train.init", options.init);
  lay_over("--device", "train.device", options.device);
  lay_over("--threads", "train.threads", options.threads);
  return values;
}

/// The run's own config, with its files where they are now.
Config read_run_config(const fs::path& run_dir, const Overrides& given) {
  const fs::path file = run_dir / "config.json";
  try {
    Overrides overrides =
        find_moved_files(run_dir, parse_config(read_file(file), file.string()), given);
    overrides.insert(overrides.end(), given.begin(), given.end());
    return load_stored_config(file, overrides, FileChecks::training);
  } catch (const ConfigError& error) {
    std::string text = error.what();
    if (text.find("data.") != std::string::npos && text.find("cannot be read") != std::string::npos)
      text +=
          "\nA file that was moved goes with --resume, too: --train FILE, --validation FILE, "
          "--test FILE; its content must be the same.";
    if (const std::string newer = newer_program_text(run_dir / "manifest.json"); !newer.empty())
      text += "\n" + newer;
    throw ConfigError(text);
  }
}

/// Without a config the n-grams are chosen: of a model of them alone (model.dim = 0), which is none
/// before, some stand in the place of those.
Overrides with_a_model(Overrides given) {
  const auto has = [&](std::string_view section) {
    return std::ranges::any_of(given,
                               [&](const auto& entry) { return entry.first.starts_with(section); });
  };
  const bool no_network = std::ranges::any_of(
      given, [](const auto& entry) { return entry.first == "model.dim" && entry.second == "0"; });
  if (no_network && !has("ngrams.")) given.emplace_back("ngrams.max", "1");
  return given;
}

Config read_config(const TrainOptions& options, const CommandLineValues& values) {
  try {
    if (!options.config.empty())
      return load_config(find_config(options.config), values.overrides, FileChecks::training);
    if (!options.resume.empty()) return read_run_config(options.resume, values.overrides);
    if (options.train)
      return choose_defaults(default_config(with_a_model(values.overrides), FileChecks::training),
                             values.overrides);
    // A config may be wanted in the first place, so nothing is said of files.
    const Overrides given = with_a_model(values.overrides);
    if (!default_config(given).data.train.empty())
      return choose_defaults(default_config(given, FileChecks::training), values.overrides);
  } catch (const ConfigError& error) {
    throw ConfigError(name_flags(error.what(), values.flags));
  }
  throw UsageError(
      "There is nothing to train on: give --config FILE, or --train FILE for the defaults.");
}

/// Whether --device names one; where it does not, its parameter's own fault says so.
bool names_a_device(const std::string& name) {
  try {
    default_config({{"train.device", name}});
  } catch (const ConfigError&) {
    return false;
  }
  return true;
}

/// Flags that say what a new run is made of, beside --resume, which takes all that from the run.
void check_resume_flags(const TrainOptions& options) {
  std::vector<std::string> given;
  if (!options.out.empty()) given.emplace_back("--out");
  if (options.overwrite) given.emplace_back("--overwrite");
  if (given.empty()) return;
  throw UsageError(
      fmt::format("--resume goes on with a run in its own folder; {} cannot stand beside it.",
                  join(given, ", ")));
}

/// Another place of a file that the run has: of data, whose content is compared when it has been
/// read, or found by find_moved_files. A test file changes no update: one may come in later.
bool is_moved_file(const ConfigDifference& difference, const Overrides& given) {
  constexpr std::string_view kNone = "\"\"";
  if (difference.key == "data.test") return true;
  if (difference.from == kNone || difference.to == kNone) return false;
  if (difference.key == "data.train" || difference.key == "data.validation") return true;
  return is_file_key(difference.key) &&
         std::none_of(given.begin(), given.end(),
                      [&](const auto& value) { return value.first == difference.key; });
}

/// The run's results are those of one config: only what changes no update may be another one.
void check_differences(const fs::path& run_dir, const Config& config, const Overrides& given) {
  const fs::path file = run_dir / "config.json";
  const Config stored = parse_config(read_file(file), file.string());
  std::string refused;
  for (const ConfigDifference& difference : config_differences(stored, config)) {
    if (difference.may_change || is_moved_file(difference, given)) {
      log::info("{}: {} instead of {}", difference.key, difference.to, difference.from);
    } else {
      refused +=
          fmt::format("\n  {}: {} instead of {}", difference.key, difference.to, difference.from);
    }
  }
  if (refused.empty()) return;
  throw UsageError(fmt::format(
      "--resume {}: the run was made with other values, which cannot change on the way:{}\nLeave "
      "them as they were, or start a new run. (docs/configuration.md lists what may change.)",
      run_dir.string(), refused));
}

}  // namespace

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
  bool usable = true;
  if (!options.resume.empty()) {
    collect([&] { check_resume_flags(options); });
    usable = false;
    collect([&] {
      check_resumable(options.resume, options.kind);
      usable = true;
      const RunLock free(options.resume);  // another training in it is told before the data is read
    });
  }
  if (usable) collect([&] { config = read_config(options, values); });
  if (config) collect([&] { check_data_settings(*config); });
  if (config && !options.resume.empty())
    collect([&] { check_differences(options.resume, *config, values.overrides); });
  // The first thing that touches the device: ATen remembers its first answer about CUDA.
  if (config || (options.device && names_a_device(*options.device)))
    collect([&] { resolve_device(config ? config->train.device : *options.device); });
  if (options.resume.empty()) {
    const std::string name =
        config ? run_name(options.config, config->data.train.first()) : std::string();
    collect([&] { check_run_directory(options.out, name, options.overwrite); });
  }
  if (config && options.resume.empty()) collect([&] { take_pretrained_sizes(*config); });
  if (faults.empty() && config) return *config;
  if (users_mistake) throw UsageError(join(faults, "\n"));
  throw SystemError(join(faults, "\n"));
}

}  // namespace diffuse::cli
