#include "pretraining.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <cstdint>
#include <iterator>
#include <numeric>
#include <optional>
#include <utility>

#include "diffuse/base/files.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/data/unlabelled.hpp"
#include "diffuse/model/checkpoint.hpp"
#include "diffuse/model/initial_vectors.hpp"
#include "diffuse/model/initial_weights.hpp"
#include "diffuse/model/masked_word_model.hpp"
#include "diffuse/train/plan.hpp"
#include "lent_data.hpp"
#include "run_directory.hpp"

namespace diffuse::cli {
namespace fs = std::filesystem;
namespace {

/// What the trainer is to do with texts alone.
Config pretraining_config(Config config) {
  constexpr double kWeightDecay = 0.01;
  constexpr double kDropout = 0.1;
  constexpr std::int64_t kSpan = 5;
  if (config.pretrain.span == 0)
    config.pretrain.span = config.tokenizer.type == TokenizerType::bytes ? kSpan : 1;
  config.ngrams = {};
  config.data.label_separator.clear();
  config.model.bigram_buckets = 0;
  config.model.token_dropout = 0;
  config.model.embedding_dropout = kDropout;
  TrainConfig& train = config.train;
  train.length = train.pretrain;
  train.batch_size = config.pretrain.batch_size;
  train.learning_rate = config.pretrain.learning_rate;
  train.weight_decay = kWeightDecay;
  train.embedding_lr_factor = 1;  // a slow one is to keep what is learned here
  train.warmup = TrainConfig().warmup;
  train.schedule = Schedule::cosine;
  train.evaluate_every = TrainConfig().evaluate_every;
  train.max_updates = 0;
  train.batch_tokens = 0;
  train.accumulate = 1;
  train.overfit_batch = false;
  train.adversarial = 0;
  train.label_smoothing = 0;
  train.class_weights = {};
  train.ema_decay = 0;
  train.patience = 0;
  train.keep_checkpoints = 1;
  return config;
}

UnlabelledTexts further_texts(const Config& config) {
  return {config.pretrain.texts, config.data, config.tokenizer,
          static_cast<int>(config.train.threads)};
}

/// Makes `data`, which `run` has lent its own to, what the trainer takes for a model of words: all
/// rows that may be learned from, without classes.
void take_texts(TrainingData& data, const PreparedRun& run) {
  EncodedDataset& file = *data.train_file;
  const std::size_t labelled = file.size();
  further_texts(run.config).append_to(file, *data.tokenizer);
  data.train = {&file, run.data.train.rows};
  const std::size_t before = data.train.rows.size();
  data.train.rows.resize(before + file.size() - labelled);
  std::iota(data.train.rows.begin() + static_cast<std::ptrdiff_t>(before), data.train.rows.end(),
            static_cast<std::uint32_t>(labelled));
  data.facts.layout = run.data.facts.layout;
}

void tell_start(const Config& config, const TrainingData& data, std::size_t labelled) {
  const std::size_t texts = data.train.size();
  log::info("Pretraining on {} texts{}, {} tokens: hidden words are to be found ({})",
            format_count(static_cast<long long>(texts)),
            texts > labelled ? fmt::format(" ({} without labels)",
                                           format_count(static_cast<long long>(texts - labelled)))
                             : "",
            format_count(data.train.token_count()), config.train.length);
}

}  // namespace

TrainingResult pretrain(PreparedRun& run, const fs::path& folder) {
  const Config config = pretraining_config(run.config);
  LentData texts(run.data);
  take_texts(texts.data(), run);
  tell_start(config, texts.data(), run.data.train.rows.size());
  MaskedWordModel model(config.model, config.pretrain, run.shape,
                        count_words(texts.data().train, *texts.data().tokenizer),
                        config.train.seed);
  const fs::path last = last_checkpoint(folder);
  if (last.empty()) {
    if (run.vectors) start_from_vectors(model, *run.vectors, config.model);
    if (!config.train.init.empty())
      start_from_checkpoint(model, *texts.data().tokenizer, texts.data().labels,
                            resolve_checkpoint(config.train.init));
    create_folders(folder);
  }
  return train(config, texts.data(), model, folder,
               last.empty() ? std::nullopt : std::optional(last));
}

void begin_with(Classifier& classifier, const PreparedRun& run, const fs::path& checkpoint) {
  const InitialWeights found =
      start_from_checkpoint(classifier, *run.data.tokenizer, run.data.labels, checkpoint);
  if (run.config.tokenizer.type == TokenizerType::values)
    log::info("{}: {} tensors taken", checkpoint.string(), found.taken.size());
  else
    log::info("{}: {} of {} words and {} other tensors taken", checkpoint.string(),
              format_count(found.words), format_count(run.data.tokenizer->vocab_size()),
              found.taken.size() - (found.words > 0 ? 1 : 0));
  if (!found.fresh.empty()) log::info("  fresh: {}", fmt::join(found.fresh, ", "));
}

std::vector<std::string> words_to_pretrain(const Config& config) {
  std::vector<std::string> words;
  if (!config.train.init.empty())
    words = initial_words(resolve_checkpoint(config.train.init), config);
  if (config.train.pretrain.empty()) return words;
  std::vector<std::string> more = further_texts(config).words();
  words.insert(words.end(), std::make_move_iterator(more.begin()),
               std::make_move_iterator(more.end()));
  return words;
}

}  // namespace diffuse::cli
