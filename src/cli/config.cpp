#include "config.hpp"

#include <CLI/CLI.hpp>

#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/data/loading.hpp"
#include "exit_code.hpp"
#include "output.hpp"
#include "overrides.hpp"

namespace diffuse::cli {

CLI::App* setup_config(CLI::App& app, ConfigOptions& options) {
  CLI::App* verb = app.add_subcommand("config", "Print, explain and check configurations");
  CLI::Option_group* what = verb->add_option_group("What to do", "One of these");
  what->add_flag("--defaults", options.defaults,
                 "Print every parameter at its default, as a commented config file");
  what->add_option("--check", options.check,
                   "Check a config and the files it names, without any work")
      ->type_name("FILE");
  what->add_option("--show", options.show, "Print the effective config: FILE over the defaults")
      ->type_name("FILE");
  what->add_flag("--schema", options.schema, "Print a JSON Schema, for editors");
  what->add_flag("--reference", options.reference, "Print the page docs/configuration.md");
  what->require_option(1);
  verb->add_option("--set", options.set, "With --check and --show: KEY=VALUE laid over the file")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  verb->footer(
      "Examples:\n"
      "  diffuse config --defaults > my.json\n"
      "  diffuse config --check my.json       (once it names data.train)\n"
      "  diffuse config --show agnews.json --set model.dim=128\n");
  return verb;
}

int run_config(const ConfigOptions& options) {
  std::vector<std::string> faults;
  const Overrides overrides = parse_overrides(options.set, faults);
  const bool reads_file = !options.check.empty() || !options.show.empty();
  if (!options.set.empty() && !reads_file) {
    throw UsageError("--set goes with --check FILE or --show FILE.");
  }
  const auto load = [&](const std::string& file, FileChecks files) {
    Config config;
    try {
      config = load_config(find_config(file), overrides, files);
    } catch (const ConfigError& error) {
      faults.push_back(name_flags(error.what(), {}));
    }
    if (!faults.empty()) throw ConfigError(join(faults, "\n"));
    return config;
  };
  if (!options.check.empty()) {
    const Config config = load(options.check, FileChecks::training);
    check_data_settings(config);
    write_output(options.check + ": ok\n");
  } else if (!options.show.empty()) {
    write_output(config_json(load(options.show, FileChecks::none)) + "\n");
  } else if (options.defaults) {
    write_output(default_config_text());
  } else if (options.schema) {
    write_output(config_schema() + "\n");
  } else {
    write_output(config_reference_markdown());
  }
  return kDone;
}

}  // namespace diffuse::cli
