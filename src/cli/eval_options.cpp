// The flags of `eval`.

#include <CLI/CLI.hpp>

#include "choices.hpp"
#include "eval.hpp"

namespace diffuse::cli {

CLI::App* setup_eval(CLI::App& app, EvalOptions& options) {
  CLI::App* verb = app.add_subcommand("eval", "Measure a checkpoint on labelled texts");
  add_model_options(*verb, options.model);
  verb->add_option(
          "--data", options.data,
          "Labelled file (CSV, TSV, JSONL, plain or .gz) or a pattern of files, read as the "
          "training data was; default: the test file the model was trained with")
      ->type_name("FILE");
  verb->add_option(
          "--on-error", options.on_error,
          "What a bad row does: error stops, skip leaves it out and counts it; default: as "
          "in training (data.on_error)")
      ->transform(one_of<OnError>({{"error", OnError::error}, {"skip", OnError::skip}}))
      ->option_text("error|skip");
  add_data_options(*verb, options.reading);
  verb->add_option("--output", options.output,
                   "Also write the predictions here: columns row, gold, predicted, probability")
      ->type_name("FILE");
  verb->add_option("--against", options.against,
                   "Predictions of another model on the same rows (its --output): whether one of "
                   "the two is better, by McNemar's paired test")
      ->type_name("FILE");
  verb->add_option("--compare-precision", options.compare_precision,
                   "Instead of the report: how far the answers in these precisions, separated by "
                   "commas, are from those in fp32")
      ->transform(one_of<Precision>(precision_choices(false)))
      ->delimiter(',')
      ->allow_extra_args(false)
      ->option_text("fp32|tf32|bf16|fp16,...");
  verb->add_flag(
      "--reach", options.reach,
      "Instead of the report: what replacing tokens at a distance from each other changes "
      "in the network's logits, by the distance");
  verb->add_flag("--json", options.json, "Print the figures as one JSON object");
  verb->footer(
      "Examples:\n"
      "  diffuse eval --checkpoint runs/r8\n"
      "  diffuse eval --checkpoint runs/r8 --data more.csv --output predictions.tsv\n"
      "  diffuse eval --checkpoint runs/r8 --data old.csv --set data.label_column=topic\n"
      "  diffuse eval --checkpoint runs/r8 --against predictions.tsv\n"
      "  diffuse eval --checkpoint runs/r8/checkpoints/last --json | jq .accuracy\n"
      "  diffuse eval --checkpoint runs/r8 --compare-precision bf16,fp16\n"
      "  diffuse eval --checkpoint runs/r8 --reach\n");
  return verb;
}

}  // namespace diffuse::cli
