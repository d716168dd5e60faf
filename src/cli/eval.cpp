#include "eval.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/data/loading.hpp"
#include "diffuse/data/summary.hpp"
#include "diffuse/device/precision.hpp"
#include "diffuse/eval/paired_comparison.hpp"
#include "diffuse/eval/precision_comparison.hpp"
#include "diffuse/eval/reach.hpp"
#include "diffuse/eval/report.hpp"
#include "diffuse/model/checkpoint.hpp"
#include "diffuse/model/model_description.hpp"
#include "ensemble.hpp"
#include "evaluation.hpp"
#include "exit_code.hpp"
#include "output.hpp"
#include "precision_overflow.hpp"
#include "run_ngrams.hpp"
#include "train_result.hpp"

namespace diffuse::cli {

namespace {

/// Flags that speak of one evaluation, beside those of another kind of report.
void check_report(const EvalOptions& options) {
  const bool compares = !options.compare_precision.empty();
  if (!compares && !options.reach) return;
  const char* other = !options.output.empty()               ? "--output"
                      : !options.against.empty()            ? "--against"
                      : compares && options.model.precision ? "--precision"
                      : compares && options.reach           ? "--reach"
                                                            : nullptr;
  if (other == nullptr) return;
  throw UsageError(fmt::format(
      "{} cannot stand beside it.",
      compares ? fmt::format("--compare-precision compares with fp32 and prints no predictions; {}",
                             other)
               : fmt::format("--reach changes the texts and prints no predictions; {}", other)));
}

/// What the model and the way in which the file is to be read do not agree about.
void check_label_kinds(const LoadedModel& model, const DataConfig& reading) {
  if (model.several_labels() && reading.label_separator.empty())
    throw UsageError(
        "data.label_separator: it is empty, but the model gives a text any number of labels; "
        "expected what stands between them in the file.");
  if (!model.several_labels() && !reading.label_separator.empty())
    throw UsageError(
        "data.label_separator: the model was trained with one label a text; expected none.");
}

PairedComparison compare_against(const std::string& file, const Evaluation& evaluation,
                                 const Labels& labels) {
  if (const auto& several = evaluation.several)
    return compare_right_rows(
        right_rows(several->answers, several->gold),
        read_right_rows(file, evaluation.rows, several->gold, labels, several->separator));
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
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
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
        opened.kernel == Kernel::fused ? Kernel::automatic : opened.kernel, precision);
    EvaluationOptions warm_up = evaluation_options;
    warm_up.branches.reset();  // of other rows
    evaluate(*opened.model.classifier, first, warm_up);
    return evaluate_with_progress(*opened.model.classifier, view, evaluation_options,
                                  std::string(enum_name(precision)));
  };
  const Evaluation reference = evaluate_in(Precision::fp32);
  std::vector<PrecisionDifference> differences;
  for (const Precision wanted : options.compare_precision) {
    const Precision precision = resolve_precision(
        wanted, opened.device, product_width(opened.model.config), /*tell=*/false);
    try {
      differences.push_back(compare_precision(reference, evaluate_in(precision), wanted));
    } catch (const Error&) {  // of logits that are no numbers there are no figures
      const auto overflowed =
          compare_overflowed(reference, *opened.model.classifier, view, evaluation_options, wanted);
      if (!overflowed) throw;
      differences.push_back(*overflowed);
    }
  }
  write_output(options.json ? precision_json(reference, differences) + "\n"
                            : precision_report(reference, differences));
}

/// Prints what edits at a distance change.
void print_reach(const EvalOptions& options, OpenedModel& opened, const DatasetView& view) {
  if (opened.model.classifier->parameters().empty())
    throw UsageError(
        "--reach: the model has no network (model.dim = 0); n-grams reach no further "
        "than their words.");
  if (opened.model.classifier->random_at_evaluation())
    throw UsageError(
        "--reach: the model adds noise when it evaluates, which hides what an edit "
        "changes; expected a model with model.noise_at_evaluation = false.");
  const std::vector<ReachFigure> figures = measure_reach(
      *opened.model.classifier, view,
      {.precision = opened.precision, .several_labels = opened.model.several_labels()});
  const std::optional<std::int64_t> farthest = farthest_pair(opened.model.config, view);
  write_output(options.json ? reach_json(figures, farthest) + "\n"
                            : reach_report(figures, farthest));
}

/// The file that is measured on. Throws UsageError where there is none, or --output would replace
/// something that is read.
std::string measured_file(const EvalOptions& options, const OpenedModel& opened) {
  const DataConfig& trained = opened.model.config.data;
  const std::string file = options.data.empty() ? trained.test : options.data;
  std::vector<NamedInput> inputs = {{"the model", options.model.checkpoint},
                                    {"the checkpoint", opened.folder},
                                    {"the file that is measured on", file},
                                    {"the file of --against", options.against},
                                    {"the model's validation file", trained.validation},
                                    {"the model's test file", trained.test}};
  for (const std::string& name : trained.train.names)
    inputs.push_back({"the model's training file", name});
  check_output_apart(options.output, inputs);
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
  return file;
}

/// The rows that are measured on, and what the model reads of them.
struct MeasuredRows {
  std::unique_ptr<EncodedDataset> data;
  PartSummary summary;
};

MeasuredRows read_rows(const EvalOptions& options, const OpenedModel& opened) {
  const LoadedModel& model = opened.model;
  const std::string file = measured_file(options, opened);
  DataConfig reading = other_data_config(opened, options.reading);
  if (options.on_error) reading.on_error = *options.on_error;
  check_label_kinds(model, reading);
  MeasuredRows rows;
  rows.data =
      load_labelled_file(file, reading, model.config.tokenizer, *model.tokenizer, model.labels,
                         opened.threads, training_layout(opened), ngram_vocabulary(model));
  rows.summary = summarize(std::filesystem::path(file).filename().string(), view_all(*rows.data),
                           model.tokenizer->unknown_id(), model.config.tokenizer);
  if (const auto texts = read_training_texts(opened.folder))
    rows.summary.training_rows = count_known_texts(*rows.data, *texts);
  tell(data_notes(rows.summary));
  return rows;
}

Evaluation evaluate_rows(OpenedModel& opened, MeasuredRows rows, std::int64_t batch_size,
                         const std::string& what) {
  const DatasetView view = view_all(*rows.data);
  Evaluation evaluation = evaluate_with_progress(*opened.model.classifier, view,
                                                 options_of(opened, view, batch_size), what);
  evaluation.data = std::move(rows.summary);
  return evaluation;
}

void print_evaluation(const EvalOptions& options, const Evaluation& evaluation,
                      const Labels& labels) {
  warn_of_figures(evaluation.metrics, labels, evaluation.data->name);
  if (!options.output.empty()) write_predictions(options.output, evaluation, labels);
  std::optional<PairedComparison> paired;
  if (!options.against.empty()) paired = compare_against(options.against, evaluation, labels);
  write_output(options.json ? json_text(evaluation, labels, paired, options.against)
                            : report_text(evaluation, labels, paired, options.against));
}

/// Measures what the models of a cross-validation answer together.
void evaluate_members(const EvalOptions& options,
                      const std::vector<std::filesystem::path>& members) {
  if (!options.compare_precision.empty() || options.reach)
    throw UsageError(fmt::format("{} is about one model; give one of the ensemble's: {}",
                                 options.reach ? "--reach" : "--compare-precision",
                                 members.front().string()));
  Labels labels;
  const Evaluation evaluation = evaluate_ensemble(
      members, options.model,
      [&](OpenedModel& opened) {
        return evaluate_rows(opened, read_rows(options, opened), options.model.batch_size,
                             "evaluating");
      },
      labels);
  print_evaluation(options, evaluation, labels);
}

}  // namespace

int run_eval(const EvalOptions& options) {
  check_output_file(options.output);
  check_report(options);
  if (const auto members = ensemble_members(options.model.checkpoint); !members.empty()) {
    evaluate_members(options, members);
    return kDone;
  }
  OpenedModel opened = open_model(options.model);
  for (const Precision wanted : options.compare_precision)
    check_kernel(options.model.kernel, opened.model.config.model.type, opened.device,
                 resolve_precision(wanted, opened.device, product_width(opened.model.config)));
  MeasuredRows rows = read_rows(options, opened);
  if (!options.compare_precision.empty()) {
    const DatasetView view = view_all(*rows.data);
    compare_precisions(options, opened, view, options_of(opened, view, options.model.batch_size));
    return kDone;
  }
  if (options.reach) {
    print_reach(options, opened, view_all(*rows.data));
    return kDone;
  }
  print_evaluation(options,
                   evaluate_rows(opened, std::move(rows), options.model.batch_size, "evaluating"),
                   opened.model.labels);
  return kDone;
}

}  // namespace diffuse::cli
