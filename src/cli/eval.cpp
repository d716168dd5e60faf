#include "eval.hpp"

#include <CLI/CLI.hpp>
#include <filesystem>

#include "diffuse/base/error.hpp"
#include "diffuse/data/loading.hpp"
#include "diffuse/eval/report.hpp"
#include "evaluation.hpp"
#include "exit_code.hpp"
#include "output.hpp"

namespace diffuse::cli {

CLI::App* setup_eval(CLI::App& app, EvalOptions& options) {
  CLI::App* verb = app.add_subcommand("eval", "Measure a checkpoint on labelled texts");
  add_model_options(*verb, options.model);
  verb->add_option("--data", options.data,
                   "Labelled file (CSV, TSV, JSONL, plain or .gz), read as the training data was; "
                   "default: the test file the model was trained with")
      ->type_name("FILE");
  verb->add_option("--output", options.output,
                   "Also write the predictions here: columns row, gold, predicted, probability")
      ->type_name("FILE");
  verb->add_flag("--json", options.json, "Print the figures as one JSON object");
  verb->footer(
      "Examples:\n"
      "  diffuse eval --checkpoint runs/r8\n"
      "  diffuse eval --checkpoint runs/r8 --data more.csv --output predictions.tsv\n"
      "  diffuse eval --checkpoint runs/r8/checkpoints/last --json | jq .accuracy\n");
  return verb;
}

namespace {

/// What would keep `--output` from being written, before the work.
void check_output(const std::string& output) {
  if (output.empty()) return;
  const std::filesystem::path path = std::filesystem::absolute(output);
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    throw UsageError(output + ": this is a folder; expected the name of a file to write.");
  }
  if (!std::filesystem::is_directory(path.parent_path(), error)) {
    throw UsageError(output + ": there is no folder " + path.parent_path().string() + ".");
  }
}

}  // namespace

int run_eval(const EvalOptions& options) {
  check_output(options.output);
  OpenedModel opened = open_model(options.model);
  LoadedModel& model = opened.model;
  const std::string file = options.data.empty() ? model.config.data.test : options.data;
  if (file.empty()) {
    throw UsageError(opened.folder.string() +
                     ": the model was trained without a test file; give one with --data FILE.");
  }
  const auto data = load_labelled_file(file, model.config.data, model.config.tokenizer,
                                       *model.tokenizer, model.labels, opened.threads);

  EvaluationOptions evaluation_options;
  evaluation_options.batch_size = options.model.batch_size;
  evaluation_options.class_count = model.labels.size();
  evaluation_options.noise_seed = model.config.train.seed;  // as training's own test
  const Evaluation evaluation =
      evaluate_with_progress(*model.classifier, view_all(*data), evaluation_options, "evaluating");
  if (!options.output.empty()) write_predictions(options.output, evaluation, model.labels);
  write_output(options.json ? evaluation_json(evaluation, model.labels) + "\n"
                            : evaluation_report(evaluation, model.labels));
  return kDone;
}

}  // namespace diffuse::cli
