#include "eval.hpp"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "choices.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/data/loading.hpp"
#include "diffuse/data/summary.hpp"
#include "diffuse/device/precision.hpp"
#include "diffuse/eval/paired_comparison.hpp"
#include "diffuse/eval/precision_comparison.hpp"
#include "diffuse/eval/report.hpp"
#include "diffuse/model/checkpoint.hpp"
#include "evaluation.hpp"
#include "exit_code.hpp"
#include "output.hpp"
#include "run_ngrams.hpp"
#include "train_result.hpp"

namespace diffuse::cli {

CLI::App* setup_eval(CLI::App& app, EvalOptions& options) {
  CLI::App* verb = app.add_subcommand("eval", "Measure a checkpoint on labelled texts");
  add_model_options(*verb, options.model);
  verb->add_option("--data", options.data,
                   "Labelled file (CSV, TSV, JSONL, plain or .gz), read as the training data was; "
                   "default: the test file the model was trained with")
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
  verb->add_flag("--json", options.json, "Print the figures as one JSON object");
  verb->footer(
      "Examples:\n"
      "  diffuse eval --checkpoint runs/r8\n"
      "  diffuse eval --checkpoint runs/r8 --data more.csv --output predictions.tsv\n"
      "  diffuse eval --checkpoint runs/r8 --data old.csv --set data.label_column=topic\n"
      "  diffuse eval --checkpoint runs/r8 --against predictions.tsv\n"
      "  diffuse eval --checkpoint runs/r8/checkpoints/last --json | jq .accuracy\n"
      "  diffuse eval --checkpoint runs/r8 --compare-precision bf16,fp16\n");
  return verb;
}

namespace {

/// Flags that speak of one evaluation, beside --compare-precision, which makes several.
void check_comparison(const EvalOptions& options) {
  if (options.compare_precision.empty()) return;
  const char* other = !options.output.empty()    ? "--output"
                      : !options.against.empty() ? "--against"
                      : options.model.precision  ? "--precision"
                                                 : nullptr;
  if (other == nullptr) return;
  throw UsageError(
      fmt::format("--compare-precision compares with fp32 and prints no predictions; {} cannot "
                  "stand beside it.",
                  other));
}

PairedComparison compare_against(const std::string& file, const Evaluation& evaluation,
                                 const Labels& labels) {
  return compare_predictions(predicted_classes(evaluation.probabilities, labels.size()),
                             read_predictions(file, evaluation.rows, evaluation.gold, labels),
                             evaluation.gold);
}

std::string report_text(const Evaluation& evaluation, const Labels& labels,
                        const std::optional<PairedComparison>& paired, const std::string& against) {
  std::string text = evaluation_report(evaluation, labels);
  if (paired) text += "\n" + paired_line(*paired, against) + "\n";
  return text;
}

std::string json_text(const Evaluation& evaluation, const Labels& labels,
                      const std::optional<PairedComparison>& paired, const std::string& against) {
  auto json = nlohmann::ordered_json::parse(evaluation_json(evaluation, labels));
  if (paired) json["against"] = nlohmann::ordered_json::parse(paired_json(*paired, against));
  return json.dump(2) + "\n";
}

/// Prints how far the answers in each precision are from those in fp32.
void compare_precisions(const EvalOptions& options, OpenedModel& opened, const DatasetView& view,
                        EvaluationOptions evaluation_options) {
  // The first batches take longer, in each precision: what is timed are not those.
  constexpr std::size_t kWarmUpRows = 512;
  DatasetView first = view;
  first.rows.resize(std::min(first.rows.size(), kWarmUpRows));
  const auto evaluate_in = [&](Precision precision) {
    evaluation_options.precision = precision;
    set_matrix_precision(precision);
    // A config's fused is for the precision that it stands beside.
    opened.model.classifier->use_kernel(
        opened.kernel == Kernel::reference ? Kernel::reference : Kernel::automatic, precision);
    EvaluationOptions warm_up = evaluation_options;
    warm_up.branches.reset();  // of other rows
    evaluate(*opened.model.classifier, first, warm_up);
    return evaluate_with_progress(*opened.model.classifier, view, evaluation_options,
                                  std::string(enum_name(precision)));
  };
  const Evaluation reference = evaluate_in(Precision::fp32);
  std::vector<PrecisionDifference> differences;
  for (const Precision wanted : options.compare_precision) {
    const Precision precision = resolve_precision(wanted, opened.device, /*tell=*/false);
    differences.push_back(compare_precision(reference, evaluate_in(precision), wanted));
  }
  write_output(options.json ? precision_json(reference, differences) + "\n"
                            : precision_report(reference, differences));
}

}  // namespace

int run_eval(const EvalOptions& options) {
  check_output_file(options.output);
  check_comparison(options);
  OpenedModel opened = open_model(options.model);
  LoadedModel& model = opened.model;
  for (const Precision wanted : options.compare_precision)
    check_kernel(options.model.kernel, model.config.model.type, opened.device,
                 resolve_precision(wanted, opened.device));
  const DataConfig& trained = model.config.data;
  const std::string file = options.data.empty() ? trained.test : options.data;
  check_output_apart(options.output, {{"the model", options.model.checkpoint},
                                      {"the checkpoint", opened.folder},
                                      {"the file that is measured on", file},
                                      {"the file of --against", options.against},
                                      {"the model's training file", trained.train},
                                      {"the model's validation file", trained.validation},
                                      {"the model's test file", trained.test}});
  if (file.empty() && trained.test_fraction > 0) {
    throw UsageError(
        opened.folder.string() +
        ": the model was tested on a part of its training file (data.test_fraction), and test.json "
        "of its run has the figures; give other rows with --data FILE.");
  }
  if (file.empty()) {
    throw UsageError(opened.folder.string() +
                     ": the model was trained without a test file; give one with --data FILE.");
  }
  if (file == "-") {
    throw UsageError(
        "--data -: eval reads its rows from a file, whose name tells the format; write stdin to "
        "one, as `... > rows.csv` does.");
  }
  DataConfig reading = other_data_config(opened, options.reading);
  if (options.on_error) reading.on_error = *options.on_error;
  const auto data =
      load_labelled_file(file, reading, model.config.tokenizer, *model.tokenizer, model.labels,
                         opened.threads, training_layout(opened), ngram_vocabulary(model));
  PartSummary summary = summarize(std::filesystem::path(file).filename().string(), view_all(*data),
                                  model.tokenizer->unknown_id(), model.config.tokenizer.max_tokens);
  if (const auto texts = read_training_texts(opened.folder))
    summary.training_rows = count_known_texts(*data, *texts);
  tell(data_notes(summary));

  EvaluationOptions evaluation_options;
  evaluation_options.batch_size = options.model.batch_size;
  evaluation_options.class_count = model.labels.size();
  evaluation_options.noise_seed = model.config.train.seed;  // as training's own test
  evaluation_options.precision = opened.precision;
  evaluation_options.branches = branch_options(model, view_all(*data), opened.threads);
  evaluation_options.temperature = model.temperature;
  if (model.data) evaluation_options.class_rows = model.data->class_rows;
  if (!options.compare_precision.empty()) {
    compare_precisions(options, opened, view_all(*data), evaluation_options);
    return kDone;
  }
  Evaluation evaluation =
      evaluate_with_progress(*model.classifier, view_all(*data), evaluation_options, "evaluating");
  evaluation.data = summary;
  warn_of_figures(evaluation.metrics, model.labels, summary.name);
  if (!options.output.empty()) write_predictions(options.output, evaluation, model.labels);
  std::optional<PairedComparison> paired;
  if (!options.against.empty()) paired = compare_against(options.against, evaluation, model.labels);
  write_output(options.json ? json_text(evaluation, model.labels, paired, options.against)
                            : report_text(evaluation, model.labels, paired, options.against));
  return kDone;
}

}  // namespace diffuse::cli
