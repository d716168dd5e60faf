#include "prepared_run.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "data/training_parts.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/device/deterministic.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/device/precision.hpp"
#include "diffuse/model/kernel_choice.hpp"
#include "diffuse/model/model_description.hpp"
#include "diffuse/ops/fused_diffusion.hpp"
#include "diffuse/train/kernel_text.hpp"
#include "diffuse/train/plan.hpp"
#include "diffuse/train/row_adamw.hpp"
#include "pretraining.hpp"
#include "run_directory.hpp"

namespace diffuse::cli {
namespace {

/// What the fused kernel's rounding depends on, besides precision.
std::string instructions(Precision precision) {
  const bool bf16 = precision == Precision::bf16;
  const std::string_view set = FusedDiffusion::instruction_sets(bf16).front();
  const bool own = bf16 && set == "AVX-512" && FusedDiffusion::has_bf16_instructions();
  return fmt::format("{}{}", set, own ? ", avx512_bf16" : "");
}

/// What train.embedding_lr_factor = -1 stands for behind a pretraining: of many words the place
/// where reading has put them is kept; of few the texts were too few to know it
/// (docs/pretraining.md, "Small files"). Written down, so that a resumed run and its config go on
/// as it began.
void choose_embedding_rate(TrainConfig& train, std::int64_t words) {
  constexpr std::int64_t kFewWords = 20'000;
  if (train.embedding_lr_factor >= 0 || (train.pretrain.empty() && train.init.empty())) return;
  if (words < kFewWords) train.embedding_lr_factor = 1;
}

/// Counted, or of a TorchScript file read.
std::int64_t parameters_of(const Config& config, const ModelShape& shape) {
  if (const auto counted = count_parameters(config, shape)) return *counted;
  return parameter_count(*make_classifier(config, shape, config.train.seed));
}

bool takes_vectors(const Config& config) {
  return !config.model.embedding_file.empty() && config.model.type == ModelType::diffusion;
}

/// What the vocabulary has beside the training text's words: those of `model.embedding_file`, of
/// `pretrain.texts` and of `train.init`, or, to go on with a run, those that it has already.
std::vector<std::string> words_to_keep(const Config& config, const std::string& resumed_run) {
  const TrainConfig& train = config.train;
  std::vector<std::string> words;
  if (resumed_run.empty()) {
    words = words_to_pretrain(config);
    if (!takes_vectors(config) || config.tokenizer.type != TokenizerType::words) return words;
    const std::vector<std::string> more = read_vector_words(
        config.model.embedding_file, config.model.dim, config.model.embedding_words);
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  const bool added_words = takes_vectors(config) || !train.init.empty() || !train.pretrain.empty();
  if (!added_words || config.tokenizer.type != TokenizerType::words) return {};
  const auto tokenizer =
      load_tokenizer(config.tokenizer, newest_checkpoint(resumed_run) / "vocab.txt");
  std::istringstream lines(tokenizer->vocab_text());
  for (std::string line; std::getline(lines, line);) words.push_back(line);
  return words;
}

/// Has the records of the training file that are `chosen` validate, of rows that were all to be
/// trained on.
void set_aside(const std::vector<bool>& chosen, const TokenizerConfig& tokenizer,
               TrainingData& data) {
  const EncodedDataset& file = *data.train_file;
  const std::vector<std::uint32_t> rows = std::exchange(data.train.rows, {});
  data.validation = {&file, {}};
  for (const std::uint32_t row : rows) {
    const std::uint64_t place = file.number(row) - 1;
    const bool validates = place < chosen.size() && chosen[place];
    (validates ? data.validation : data.train).rows.push_back(row);
  }
  data.facts.class_rows = count_classes(data.train, data.labels.size());
  if (file.several_labels()) data.facts.rows = std::ssize(data.train.rows);
  data.summary = summarize_all(data, tokenizer, "data.test");
  tell(data_notes(data.summary.validation));
}

/// Reads `model.embedding_file`, of a fresh run of a model that takes it, and tells in `text` how
/// much of the data has a vector.
std::optional<WordVectors> initial_vectors(const Config& config, const TrainingData& data,
                                           bool resumed, std::string& text) {
  constexpr double kFew = 0.5;
  const std::string& file = config.model.embedding_file;
  if (resumed || !takes_vectors(config)) return std::nullopt;
  WordVectors vectors = read_word_vectors(file, config.model.dim, *data.tokenizer);
  const double share = known_share(vectors, data.train);
  const double words =
      static_cast<double>(vectors.known_count) / static_cast<double>(data.tokenizer->vocab_size());
  text = fmt::format("of {} of {} words ({:.3g} %) and {:.3g} % of the training rows' tokens",
                     format_count(vectors.known_count), format_count(data.tokenizer->vocab_size()),
                     100 * words, 100 * share);
  if (share < kFew)
    log::warning("{}: it has vectors {} only; are the texts of its language?", file, text);
  return vectors;
}

}  // namespace

PreparedRun prepare_run(const Config& given, const Preparation& how) {
  Config config = given;
  const at::Device device = resolve_device(config.train.device);
  if (device.is_cuda()) pin_product_workspace();  // before the operations are tried, by products
  const Precision precision =
      resolve_precision(config.train.precision, device, product_width(config));
  const Kernel kernel = chosen_kernel(config.train.kernel, config.model.type, device, precision);
  const int threads = set_thread_count(config.train.threads);
  DataConfig data_config = config.data;
  if (how.dry_run) data_config.cache = false;  // it writes nothing, not even there
  if (how.parts != nullptr || how.no_test) data_config.test.clear();
  if (how.validation != nullptr) data_config.validation_fraction = 0;
  TrainingData data =
      load_training_data(data_config, config.tokenizer, config.train.seed, threads,
                         words_to_keep(config, how.resumed), config.ngrams, how.parts);
  if (how.validation != nullptr) set_aside(*how.validation, config.tokenizer, data);
  weigh_classes(config.train.class_weights, data);
  if (config.train.patience > 0 && data.validation.size() == 0) {
    log::warning(
        "train.patience = {} has no effect: there are no validation rows to wait for; "
        "data.validation names a file of them, data.validation_fraction sets some aside",
        config.train.patience);
  }
  const ModelShape shape = {data.tokenizer->vocab_size(), data.labels.size(),
                            data.tokenizer->mask_id(), data.tokenizer->pad_id()};
  if (how.resumed.empty()) choose_embedding_rate(config.train, shape.vocab_size);
  StartupFacts startup;
  std::optional<WordVectors> vectors = initial_vectors(
      config, data, !how.resumed.empty() && has_weights(how.resumed), startup.vectors);
  startup.device = device_description(device);
  startup.precision = std::string(enum_name(precision));
  startup.threads = threads;
  startup.parameter_count = parameters_of(config, shape);
  startup.plan = plan_of(config, data.train);
  startup.kernel = kernel_text(kernel, device, config, precision, !how.resumed.empty());
  const MemoryEstimate estimate = estimate_memory(
      config, precision, startup.parameter_count, data.train,
      {.classes = data.labels.size(),
       .evaluated_rows =
           static_cast<std::int64_t>(std::max(data.validation.size(), data.test.size())),
       .vocab_size = shape.vocab_size,
       .threads = threads,
       .kernel = kernel,
       .on_cpu = device.is_cpu()});
  startup.memory = describe(estimate);
  startup.memory_bytes = estimate.total();
  return {config,  device,   precision,          kernel, threads, std::move(data), shape,
          startup, estimate, std::move(vectors), true};
}

RunFacts facts_of(const PreparedRun& run, const TrainOptions& options,
                  const std::string& start_time) {
  return {.arguments = options.arguments,
          .start_time = start_time,
          .device = run.device.str(),
          .device_description = run.startup.device,
          .precision = run.startup.precision,
          .kernel = std::string(enum_name(run.kernel)),
          .instructions = run.kernel == Kernel::fused ? instructions(run.precision) : "",
          .threads = run.threads,
          .parameter_count = run.startup.parameter_count,
          .memory_estimate_bytes = run.startup.memory_bytes,
          .data_hashes = run.data.hashes};
}

}  // namespace diffuse::cli
