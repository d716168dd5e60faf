#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "diffuse/train/baseline_figures.hpp"
#include "run_directory.hpp"

namespace CLI {
class App;
}

namespace diffuse::cli {

struct PreparedRun;

struct TrainOptions {
  std::string config;
  std::optional<std::string> train;
  std::optional<std::string> test;
  std::optional<std::string> test_fraction;
  std::optional<std::string> validation;
  std::optional<std::string> init;
  std::vector<std::string> set;
  std::string out;
  std::string resume;  ///< run directory to go on with; empty: a new run
  bool overwrite = false;
  std::optional<std::string> device;
  std::optional<std::string> threads;
  RunKind kind = RunKind::training;  ///< of `resume`: these may be the options of another verb
  bool dry_run = false;
  bool json = false;
  std::int64_t folds = 0;  ///< of a cross-validation; 0: none
  std::string autotune;    ///< budget of a search, "10m" or "20000u"; empty: none
  bool ensemble = false;   ///< the folds' models are kept, to answer together
  std::string baseline;    ///< "distilbert": measured on the run's rows first; empty: none
  std::vector<std::string> arguments;  ///< the whole command line, for the manifest
};

/// Declares the flags that a verb with a run of its own shares with `train`: config, training file,
/// settings, run directory, device and threads.
void add_run_options(CLI::App& verb, TrainOptions& options);
/// Declares the verb `train`; parsing fills `options`, which must outlive the parser.
CLI::App* setup_train(CLI::App& app, TrainOptions& options);
/// Trains, tests the best checkpoint once and prints a summary, as JSON where that is asked for.
/// Returns the exit code.
int run_train(const TrainOptions& options);
/// The part of it behind the preparation: trains in `run_dir`, which holds the run's config and
/// manifest, tests and prints. `config_before`: the text of config.json before the run was gone on
/// with; empty: it is new. Returns the exit code.
int train_and_tell(PreparedRun& run, const std::filesystem::path& run_dir,
                   const TrainOptions& options, const std::optional<BaselineFigures>& baseline = {},
                   const std::string& config_before = "");

}  // namespace diffuse::cli
