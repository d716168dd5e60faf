// The flags of `train`.

#include <CLI/CLI.hpp>

#include "json_string.hpp"
#include "train.hpp"

namespace diffuse::cli {
namespace {

/// The names as `--set` takes a list.
std::string json_list(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "[" : ",") + json_string(name);
  return list + "]";
}

}  // namespace

void add_run_options(CLI::App& verb, TrainOptions& options) {
  verb.add_option("--config", options.config,
                  "Config file: a path, or a name in the project's configs folder")
      ->type_name("FILE");
  verb.add_option_function<std::vector<std::string>>(
          "--train",
          [&options](const std::vector<std::string>& files) {
            options.train = files.size() == 1 ? files.front() : json_list(files);
          },
          "Labelled texts to train on (data.train): a file, several, or a pattern such as "
          "'news-*.csv'")
      ->type_name("FILE");
  verb.add_option("--init", options.init,
                  "Begin with the weights of a checkpoint or run, of `diffuse pretrain` for "
                  "example (train.init)")
      ->type_name("DIR");
  verb.add_option("--set", options.set, "Lay a value over the config; may be repeated")
      ->option_text("KEY=VALUE")
      ->allow_extra_args(false);
  verb.add_option("--out", options.out,
                  "Run directory, new or empty; default: one under runs/ by the config's name, "
                  "numbered when taken")
      ->type_name("DIR");
  verb.add_flag("--overwrite", options.overwrite,
                "Replace the run that is in the run directory instead of refusing or numbering");
  verb.add_option("--resume", options.resume,
                  "Go on with the stopped run in DIR, from its last checkpoint; on the CPU to the "
                  "bit")
      ->type_name("DIR");
  verb.add_option("--device", options.device, "auto, cpu, cuda or cuda:N (train.device)")
      ->type_name("NAME");
  verb.add_option("--threads", options.threads, "Threads of the CPU; 0: all (train.threads)")
      ->type_name("N");
}

CLI::App* setup_train(CLI::App& app, TrainOptions& options) {
  CLI::App* verb = app.add_subcommand("train", "Train a classifier on labelled texts");
  add_run_options(*verb, options);
  verb->add_option("--test", options.test, "Labelled texts to test on once (data.test)")
      ->type_name("FILE");
  verb->add_option("--test-fraction", options.test_fraction,
                   "Part of the training rows to test on instead (data.test_fraction)")
      ->type_name("PART");
  verb->add_option("--validation", options.validation,
                   "Labelled texts that choose the best checkpoint (data.validation)")
      ->type_name("FILE");
  verb->add_option(
          "--folds", options.folds,
          "Cross-validation: train K models, each on all rows but a K-th part, which it "
          "answers; prints their accuracy and writes predictions.jsonl. For texts of one label")
      ->check(CLI::Range(2, 1000))
      ->type_name("K");
  verb->add_flag("--ensemble", options.ensemble,
                 "Keep the models of --folds: they answer the test rows together, as eval and "
                 "predict let them with this run as --checkpoint");
  verb->add_option("--autotune", options.autotune,
                   "First search a configuration on rows kept aside, within this budget with the "
                   "training itself: minutes, or updates, which choose the same for the same seed")
      ->option_text("10m|20000u");
  verb->add_option("--baseline", options.baseline,
                   "First measure another model on the same rows, for at most a minute, and tell "
                   "each epoch's time and memory beside its own")
      ->check(CLI::IsMember({"distilbert"}))
      ->option_text("distilbert");
  verb->add_flag("--dry-run", options.dry_run,
                 "Check everything, read the data and print the start-up table; write nothing");
  verb->add_flag("--json", options.json,
                 "Print the result, or with --dry-run the start-up table, as one JSON object");
  verb->footer(
      "Examples:\n"
      "  diffuse train --config r8.json\n"
      "  diffuse train --train my.csv --test my-test.csv --out runs/mine\n"
      "  diffuse train --config agnews.json --set data.max_rows=10000 --set train.length=2e\n"
      "  diffuse train --resume runs/agnews\n"
      "  diffuse train --config r8.json --baseline distilbert\n"
      "  diffuse train --config trec.json --folds 10\n"
      "  diffuse train --train my.csv --test my-test.csv --autotune 10m\n"
      "  diffuse train --config my.json --dry-run --json | jq .memory_estimate_bytes\n");
  return verb;
}

}  // namespace diffuse::cli
