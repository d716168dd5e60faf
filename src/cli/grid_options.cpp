// The flags of `grid`.

#include <CLI/CLI.hpp>

#include "grid.hpp"

namespace diffuse::cli {

CLI::App* setup_grid(CLI::App& app, GridOptions& options) {
  CLI::App* verb = app.add_subcommand(
      "grid", "Train every combination of some values with several seeds, and compare them");
  TrainOptions& training = options.training;
  training.kind = RunKind::grid;
  add_run_options(*verb, training);
  verb->add_option("--grid", options.grid,
                   "JSON file of values to combine, {\"model.dim\": [64, 128]}, or a list of such "
                   "objects")
      ->type_name("FILE");
  verb->add_option("--vary", options.vary,
                   "Values of a key to combine with all others; may be repeated")
      ->option_text("KEY=VALUE,VALUE")
      ->allow_extra_args(false);
  verb->add_option("--seeds", options.seeds,
                   "Seeds of each combination, from train.seed on; with --resume more than before "
                   "(default 1)")
      ->check(CLI::Range(1, 1000))
      ->type_name("N");
  verb->add_option("--validation", training.validation,
                   "Labelled texts on which combinations are compared (data.validation)")
      ->type_name("FILE");
  verb->add_flag("--test", options.test,
                 "In the end let the best combination answer the test rows (data.test, "
                 "data.test_fraction), which nothing reads before");
  verb->add_flag("--keep-checkpoints", options.keep_checkpoints,
                 "Keep the models of all runs, not of the best combination alone");
  verb->add_flag("--dry-run", training.dry_run,
                 "Check everything, read the data and print the combinations; write nothing");
  verb->add_flag("--json", training.json,
                 "Print the result, or with --dry-run the combinations, as one JSON object");
  verb->footer(
      "Examples:\n"
      "  diffuse grid --config agnews.json --vary model.dim=32,64 --vary train.length=2e,4e\n"
      "  diffuse grid --config my.json --grid my-grid.json --seeds 5 --out runs/mine\n"
      "  diffuse grid --resume runs/mine\n"
      "  diffuse grid --resume runs/mine --seeds 10 --test\n"
      "  diffuse grid --config my.json --seeds 5    (mean and deviation of one config)\n"
      "  diffuse train --config runs/mine/best.json\n");
  return verb;
}

}  // namespace diffuse::cli
