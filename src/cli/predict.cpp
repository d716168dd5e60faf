#include "predict.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "choices.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/data/byte_source.hpp"
#include "diffuse/data/records.hpp"
#include "diffuse/eval/coverage.hpp"
#include "diffuse/explain/explainer.hpp"
#include "diffuse/model/model_description.hpp"
#include "ensemble.hpp"
#include "exit_code.hpp"
#include "predictor.hpp"
#include "records_ahead.hpp"

namespace diffuse::cli {
namespace {

/// Where the records come from, closed with the object unless it is stdin. A named pipe is read as
/// it comes, like stdin.
class Input {
 public:
  explicit Input(const std::string& file) : name_(file) {
    std::error_code ignored;
    if (file == "-") {
      descriptor_ = STDIN_FILENO;
      name_ = "stdin";
    } else if (std::filesystem::exists(file, ignored) &&
               !std::filesystem::is_regular_file(file, ignored) &&
               !std::filesystem::is_directory(file, ignored)) {
      descriptor_ = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
      if (descriptor_ < 0)
        throw UsageError(fmt::format("{}: it cannot be read: {}.", file, std::strerror(errno)));
    } else {
      check_data_file(file, "");
    }
  }
  ~Input() {
    if (descriptor_ > STDIN_FILENO) ::close(descriptor_);
  }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  bool is_file() const { return descriptor_ < 0; }
  bool is_terminal() const { return descriptor_ >= 0 && ::isatty(descriptor_) != 0; }
  const std::string& name() const { return name_; }
  DataInput data() const { return is_file() ? DataInput(name_) : DataInput(descriptor_, name_); }

 private:
  std::string name_;
  int descriptor_ = -1;  // -1: a file
};

FileFormat resolve_input_format(const PredictOptions& options, const DataConfig& data,
                                const Input& input) {
  switch (options.input_format) {
    case InputFormat::automatic:
      if (options.reading.sets("data.format")) return data.format;
      return input.is_file() ? format_of_name(input.name()) : FileFormat::automatic;
    case InputFormat::csv:
      return FileFormat::csv;
    case InputFormat::tsv:
      return FileFormat::tsv;
    case InputFormat::jsonl:
      return FileFormat::jsonl;
    case InputFormat::text:
      break;
  }
  return FileFormat::automatic;
}

/// What --keep asks for and the output cannot hold.
void check_kept(const PredictOptions& options, bool lines_of_text) {
  if (options.keep.empty()) return;
  if (lines_of_text)
    throw UsageError(
        "--keep: lines of text have no columns; expected CSV, TSV or JSONL (--input-format).");
  constexpr std::array<std::string_view, 11> kOwn = {
      "label",  "probability",   "labels", "label_probabilities", "unknown_share", "top",
      "logits", "probabilities", "error",  "explanation",         "explanations"};
  for (const std::string& name : options.keep) {
    // Beside all probabilities the row's own label may stand in the answer's place.
    if (options.probabilities && name == "label") continue;
    if (options.format == OutputFormat::jsonl &&
        std::find(kOwn.begin(), kOwn.end(), name) != kOwn.end())
      throw UsageError(fmt::format(
          "--keep {}: the output has a key of that name; --format tsv can hold the column.", name));
  }
}

/// Throws UsageError where --explain asks for what cannot be taken to pieces.
void check_explainable(const PredictOptions& options, const std::vector<OpenedModel>& models) {
  if (options.explained == 0) return;
  const Config& config = models.front().model.config;
  if (models.size() > 1)
    throw UsageError(fmt::format(
        "--explain: an ensemble answers by the mean of its models' probabilities, which has no "
        "parts; take one of its models (--checkpoint {}).",
        shell_quoted(models.front().folder.string())));
  if (can_be_explained(config)) return;
  if (config.tokenizer.type == TokenizerType::values)
    throw UsageError("--explain: the model reads numbers; what can be explained are words.");
  if (config.model.type == ModelType::diffusion)
    throw UsageError(
        "--explain: the model reads long texts in pieces with [CLS] and [SEP] of their own "
        "(tokenizer.long_texts = pool); what can be explained are pieces without, "
        "tokenizer.special_tokens = false.");
  throw UsageError(fmt::format(
      "--explain: the model is a {}; what can be explained is the diffusion network and "
      "n-grams (model.type \"diffusion\").",
      description_of(config).title()));
}

std::unique_ptr<RecordReader> open_reader(const DataInput& input, FileFormat format,
                                          DataConfig data, const OpenedModel& opened,
                                          const PredictOptions& options) {
  if (format == FileFormat::automatic) return open_text_lines(input);
  data.format = format;
  ReadOptions reading;
  if (const RecordLayout* layout = training_layout(opened)) reading.layout = *layout;
  reading.need_label = false;
  if (input.descriptor >= 0) reading.rows_ahead = 1;  // no answer waits for a second record
  reading.keep = options.keep;
  return open_records(input, data, reading);
}

/// The confidence from which answers are as accurate as `options` asks for.
double threshold_of(const PredictOptions& options, const OpenedModel& opened) {
  if (!options.target_accuracy) return 0;
  if (opened.model.several_labels())
    throw UsageError(
        "--target-accuracy: the model gives a text any number of labels, each from a threshold of "
        "its own on (thresholds.json), and there is no accuracy of one answer.");
  const std::filesystem::path& checkpoint = opened.folder;
  const std::filesystem::path file = checkpoint / kCoverageFile;
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored))
    throw UsageError(
        fmt::format("--target-accuracy: '{}' does not tell how accurate it is at which confidence, "
                    "for nothing was held back to measure that on: neither validation rows "
                    "(data.validation, data.validation_fraction) nor a rehearsal (of n-grams with "
                    "ngrams.factor = 0); or `diffuse prune` or an older version wrote it.",
                    checkpoint.string()));
  Coverage coverage;
  try {
    coverage = parse_coverage(read_file(file), file.string());
  } catch (const DataError& error) {
    throw CheckpointError(error.what());
  }
  if (const auto found = point_of(coverage, *options.target_accuracy)) {
    const auto& [point, least] = *found;
    log::info(
        "answers from a probability of {:.4f} on: of {} rows held back in training {:.1f} % are "
        "answered, {:.2f} % of these right; with a confidence of 95 % more than {:.2f} %",
        point.threshold, format_count(coverage.rows), 100 * point.coverage, 100 * point.accuracy,
        100 * least);
    if (least < *options.target_accuracy)
      log::warning(
          "--target-accuracy {}: {} rows held back in training are too few to be sure of it.",
          *options.target_accuracy, format_count(coverage.rows));
    return point.threshold;
  }
  double best = 0;
  for (const CoveragePoint& point : coverage.points) best = std::max(best, point.accuracy);
  throw UsageError(
      fmt::format("--target-accuracy {}: on the rows held back in training the model's surest "
                  "answers reach {:.4f}; give that or less.",
                  *options.target_accuracy, best));
}

}  // namespace

CLI::App* setup_predict(CLI::App& app, PredictOptions& options) {
  CLI::App* verb = app.add_subcommand("predict", "Classify texts, one output line for each record");
  add_model_options(*verb, options.model);
  verb->add_option("file", options.file, "Texts to classify, plain or .gz; - or nothing is stdin")
      ->option_text("FILE|-");
  verb->add_option("--input-format", options.input_format,
                   "text: a text on each line; csv, tsv, jsonl: as training reads them, the label "
                   "may be missing; auto: by the file's name, else text")
      ->transform(one_of<InputFormat>({{"auto", InputFormat::automatic},
                                       {"text", InputFormat::text},
                                       {"csv", InputFormat::csv},
                                       {"tsv", InputFormat::tsv},
                                       {"jsonl", InputFormat::jsonl}}))
      ->option_text("auto|text|csv|tsv|jsonl=auto");
  verb->add_option(
          "--keep", options.keep,
          "Columns or keys of the input, separated by commas, to carry through: behind the "
          "answer in tsv, as keys in jsonl")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("NAME,...");
  add_data_options(*verb, options.reading);
  verb->add_option(
          "--format", options.format,
          "Output. tsv: label, probability (of several labels each cell holds all); jsonl: an "
          "object on each line; text: as tsv, with --explain in lines below, which is then the "
          "default")
      ->transform(one_of<OutputFormat>({{"text", OutputFormat::text},
                                        {"tsv", OutputFormat::tsv},
                                        {"jsonl", OutputFormat::jsonl}}))
      ->option_text("tsv|jsonl|text=tsv");
  verb->add_option("--top", options.top, "Write the K most probable classes")
      ->check(CLI::Range(1, 1000000))
      ->option_text("K=1");
  verb->add_flag("--logits", options.logits,
                 "Also write the logits, in the order of the checkpoint's labels.txt (jsonl only)");
  verb->add_flag("--probabilities", options.probabilities,
                 "Also write the probability of every class by its name, which training reads as "
                 "data.soft_labels (jsonl only)");
  verb->add_flag("--explain{10}", options.explained,
                 "Also write which words and n-grams spoke most for the answer or against it, K of "
                 "them (docs/explanations.md)")
      ->check(CLI::Range(1, 1000000))
      ->option_text("[=K]");
  verb->add_option(
          "--target-accuracy", options.target_accuracy,
          "Answer only where the model is sure enough for this accuracy, by its validation "
          "rows; else #unsure (jsonl: null)")
      ->check(is_share())
      ->option_text("PART");
  verb->footer(
      "A record that cannot be used is answered by an error record in its place (tsv: #error and "
      "a\n"
      "message; jsonl: {\"error\": ...}), and the exit code is then 1.\n\n"
      "Examples:\n"
      "  echo 'oil prices rose sharply' | diffuse predict --checkpoint runs/r8\n"
      "  diffuse predict --checkpoint runs/r8 texts.txt --top 3 > labels.tsv\n"
      "  diffuse predict --checkpoint runs/r8 mails.csv --keep id > labels.tsv\n"
      "  echo 'oil prices rose sharply' | diffuse predict --checkpoint runs/r8 --explain\n"
      "  diffuse predict --checkpoint runs/agnews --target-accuracy 0.98 < texts.txt\n"
      "  diffuse predict --checkpoint runs/r8 --input-format jsonl --format jsonl < texts.jsonl\n");
  return verb;
}

int run_predict(const PredictOptions& options) {
  std::vector<OpenedModel> models = open_models(options.model);
  OpenedModel& opened = models.front();
  if (models.size() > 1 && options.target_accuracy)
    throw UsageError(
        "--target-accuracy: an ensemble has no validation rows of its own by which to tell how "
        "accurate it is at which confidence; take a model of one training.");
  if (options.top > opened.model.labels.size()) {
    throw UsageError(fmt::format("--top {}: the model has {} classes.", options.top,
                                 opened.model.labels.size()));
  }
  check_explainable(options, models);
  if (options.logits && options.format != OutputFormat::jsonl) {
    throw UsageError("--logits: only --format jsonl has a place for them.");
  }
  if (options.probabilities && options.format != OutputFormat::jsonl) {
    throw UsageError("--probabilities: only --format jsonl has a place for them.");
  }
  const Input input(options.file);
  const DataConfig data = other_data_config(opened, options.reading);
  const FileFormat format = resolve_input_format(options, data, input);
  check_kept(options, format == FileFormat::automatic);
  if (input.is_terminal()) log::info("Reading from the terminal, one text a line; Ctrl-D ends.");
  Predictor predictor(
      opened,
      {options.format.value_or(options.explained > 0 ? OutputFormat::text : OutputFormat::tsv),
       static_cast<std::size_t>(options.top), options.logits, options.probabilities, options.keep,
       threshold_of(options, opened), static_cast<std::size_t>(options.explained),
       opened.model.thresholds, opened.model.config.data.label_separator});
  for (OpenedModel& other : std::span(models).subspan(1))
    predictor.join(std::make_unique<Predictor>(other, OutputForm()));
  RecordsAhead ahead(static_cast<std::size_t>(options.model.batch_size));
  ahead.start(open_reader(ahead.watched(input.data()), format, data, opened, options),
              [&input, told = false](const RecordReader& reader) mutable {
                if (told || reader.layout() == nullptr) return;
                log::info("{}: {}", input.name(), reader.layout()->description);
                told = true;
              });
  std::int64_t unusable = 0;
  std::string first_error;
  for (RecordBlock block; ahead.next(block);) {
    predictor.answer(block);
    if (unusable == 0 && !block.unusable.empty())
      first_error =
          fmt::format("line {}: {}", block.unusable.front().line, block.unusable.front().message);
    unusable += std::ssize(block.unusable);
  }
  const ReadNotes& notes = ahead.notes();
  if (const auto count = notes.repeated_headers.size(); count > 0)
    log::warning("{}: the header comes again on {} line{} and is not answered there", input.name(),
                 count, count == 1 ? "" : "s");
  if (notes.swallowed > 0)
    log::warning(
        "{}: {} lines between quotes look like rows of their own (lines {} to {}{}); where quotes "
        "are plain characters, --set data.quote=none reads them",
        input.name(), notes.swallowed, notes.swallowers.front().first,
        notes.swallowers.front().last, notes.swallowers.size() > 1 ? ", …" : "");
  predictor.report();
  const std::int64_t unanswered = predictor.unanswered();
  if (unanswered > 0)
    log::error("{} no answer: {}",
               unanswered == 1 ? "1 record has" : format_count(unanswered) + " records have",
               kNoFiniteLogits);
  if (unusable > 0)
    log::error("{} could not be used, the first is {}",
               unusable == 1 ? "1 record" : format_count(unusable) + " records", first_error);
  return unusable + unanswered == 0 ? kDone : kFailed;
}

}  // namespace diffuse::cli
