#include "predict.hpp"

#include <ATen/core/Tensor.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>

#include "choices.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/data/byte_source.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/eval/evaluator.hpp"
#include "exit_code.hpp"
#include "line_reader.hpp"
#include "output.hpp"

namespace diffuse::cli {
namespace {

// A batch is also cut at this many bytes, so that long lines do not pile up.
constexpr std::size_t kMaxBatchBytes = std::size_t{8} << 20;
constexpr std::uint64_t kNoiseSeed = 1;

/// The input, closed with the object unless it is stdin. A file may be packed with gzip.
class Input {
 public:
  explicit Input(const std::string& file) {
    if (file == "-") return;
    std::error_code ignored;
    if (std::filesystem::is_directory(file, ignored)) {
      throw UsageError(file + ": this is a folder; expected a file of texts, or - for stdin.");
    }
    descriptor_ = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor_ < 0) {
      throw UsageError(fmt::format("{}: the file cannot be read: {}.", file, std::strerror(errno)));
    }
    // A named pipe is read as it comes; only a file can be looked into first.
    if (std::filesystem::is_regular_file(file, ignored)) file_.emplace(file);
  }
  ~Input() {
    if (descriptor_ != STDIN_FILENO) ::close(descriptor_);
  }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  int descriptor() const { return descriptor_; }
  LineReader lines() { return file_ ? LineReader(*file_) : LineReader(descriptor_); }

 private:
  std::optional<ByteSource> file_;
  int descriptor_ = STDIN_FILENO;
};

/// Answers records in batches.
class Predictor {
 public:
  Predictor(OpenedModel& opened, const PredictOptions& options)
      : opened_(opened), options_(options), generator_(make_generator(opened.device, kNoiseSeed)) {}

  void add(InputRecord record) {
    bytes_ += record.text.size();
    records_.push_back(std::move(record));
  }
  bool empty() const { return records_.empty(); }
  bool full() const {
    return static_cast<std::int64_t>(records_.size()) >= options_.model.batch_size ||
           bytes_ >= kMaxBatchBytes;
  }

  /// Writes one line for each record that was added.
  void flush() {
    if (records_.empty()) return;
    std::vector<std::string> texts;
    for (InputRecord& record : records_) {
      if (record.error.empty()) texts.push_back(std::move(record.text));
    }
    const std::vector<float> logits = predict(texts);
    const std::vector<float> probabilities =
        class_probabilities(logits, opened_.model.labels.size());
    const auto classes = static_cast<std::size_t>(opened_.model.labels.size());
    std::string out;
    std::size_t usable = 0;
    for (const InputRecord& record : records_) {
      if (record.error.empty()) {
        const std::size_t first = usable++ * classes;
        out += format_prediction({probabilities.data() + first, classes},
                                 {logits.data() + first, options_.logits ? classes : 0},
                                 opened_.model.labels, static_cast<std::size_t>(options_.top),
                                 options_.format);
      } else {
        out += format_error(record.error, options_.format);
      }
    }
    write_output(out);
    records_.clear();
    bytes_ = 0;
  }

 private:
  /// Logits of `texts`, [B, C] row-major.
  std::vector<float> predict(const std::vector<std::string>& texts) {
    if (texts.empty()) return {};
    const LoadedModel& model = opened_.model;
    PackedRows rows;
    rows.offsets.push_back(0);
    std::vector<std::int64_t> bounds;
    std::vector<std::int32_t> ids;
    // Threads cost more than they bring for the few lines of a slow pipe.
    const int threads = texts.size() < 16 ? 1 : opened_.threads;
    encode_batch(*model.tokenizer, texts, model.config.tokenizer.max_tokens, threads, ids, bounds);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      rows.tokens.insert(rows.tokens.end(), ids.begin() + bounds[i], ids.begin() + bounds[i + 1]);
      if (bounds[i] == bounds[i + 1]) rows.tokens.push_back(model.tokenizer->unknown_id());
      rows.offsets.push_back(static_cast<std::int32_t>(rows.tokens.size()));
    }
    rows.labels.assign(texts.size(), 0);
    ForwardContext context;
    context.generator = generator_;
    const at::Tensor logits = predict_logits(*model.classifier, make_batch(rows, opened_.device),
                                             context, opened_.precision);
    const float* values = logits.const_data_ptr<float>();
    return {values, values + logits.numel()};
  }

  OpenedModel& opened_;
  const PredictOptions& options_;
  at::Generator generator_;
  std::vector<InputRecord> records_;
  std::size_t bytes_ = 0;
};

}  // namespace

CLI::App* setup_predict(CLI::App& app, PredictOptions& options) {
  CLI::App* verb = app.add_subcommand("predict", "Classify texts, one output line for each line");
  add_model_options(*verb, options.model);
  verb->add_option("file", options.file, "Texts to classify, plain or .gz; - or nothing is stdin")
      ->option_text("FILE|-");
  verb->add_option("--input-format", options.input_format,
                   "text: a text on each line; jsonl: an object with the key text on each line")
      ->transform(one_of<InputFormat>({{"text", InputFormat::text}, {"jsonl", InputFormat::jsonl}}))
      ->option_text("text|jsonl=text");
  verb->add_option("--format", options.format,
                   "Output. tsv: label, probability; jsonl: an object on each line")
      ->transform(
          one_of<OutputFormat>({{"tsv", OutputFormat::tsv}, {"jsonl", OutputFormat::jsonl}}))
      ->option_text("tsv|jsonl=tsv");
  verb->add_option("--top", options.top, "Write the K most probable classes")
      ->check(CLI::Range(1, 1000000))
      ->option_text("K=1");
  verb->add_flag("--logits", options.logits,
                 "Also write the logits, in the order of the checkpoint's labels.txt (jsonl only)");
  verb->footer(
      "A line that cannot be used is answered by an error record in its place (tsv: #error and a\n"
      "message; jsonl: {\"error\": ...}), and the exit code is then 1.\n\n"
      "Examples:\n"
      "  echo 'oil prices rose sharply' | diffuse predict --checkpoint runs/r8\n"
      "  diffuse predict --checkpoint runs/r8 texts.txt --top 3 > labels.tsv\n"
      "  diffuse predict --checkpoint runs/r8 --input-format jsonl --format jsonl < texts.jsonl\n");
  return verb;
}

int run_predict(const PredictOptions& options) {
  OpenedModel opened = open_model(options.model);
  if (options.top > opened.model.labels.size()) {
    throw UsageError(fmt::format("--top {}: the model has {} classes.", options.top,
                                 opened.model.labels.size()));
  }
  if (options.logits && options.format != OutputFormat::jsonl) {
    throw UsageError("--logits: only --format jsonl has a place for them.");
  }
  Input input(options.file);
  if (::isatty(input.descriptor()) != 0) {
    log::info("Reading from the terminal, one text a line; Ctrl-D ends.");
  }
  const std::vector<std::string>& text_keys = opened.model.config.data.text_columns;
  LineReader reader = input.lines();
  Predictor predictor(opened, options);
  std::int64_t unusable = 0;
  std::string first_error;
  LineReader::Line line;
  while (true) {
    // Waiting is right only when everything read so far has been answered.
    const LineReader::Status status = reader.next(line, predictor.empty());
    if (status == LineReader::Status::line) {
      InputRecord record = line.too_long ? InputRecord{{},
                                                       fmt::format("the line is longer than {} MiB",
                                                                   LineReader::kMaxLineBytes >> 20)}
                                         : parse_record(line.text, options.input_format, text_keys);
      if (!record.error.empty() && unusable++ == 0) {
        first_error = fmt::format("line {}: {}", line.number, record.error);
      }
      predictor.add(std::move(record));
      if (!predictor.full()) continue;
    }
    predictor.flush();
    if (status == LineReader::Status::end) break;
  }
  if (unusable == 0) return kDone;
  log::error("{} could not be used, the first is {}",
             unusable == 1 ? "1 line" : format_count(unusable) + " lines", first_error);
  return kFailed;
}

}  // namespace diffuse::cli
