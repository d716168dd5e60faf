#include "conflicts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/config/model_rules.hpp"
#include "faults.hpp"
#include "field.hpp"

namespace diffuse {
namespace {

void find_model_conflicts(const ModelConfig& model, std::vector<Conflict>& found) {
  const auto entries = static_cast<std::int64_t>(model.dilation.size());
  if (entries == 0 || entries > std::max<std::int64_t>(model.steps, 1)) {
    found.push_back({{"model.dilation", "model.steps"},
                     fmt::format("{} entries for model.steps = {}; expected 1 to {} (fewer than "
                                 "steps begin again when they end)",
                                 entries, model.steps, std::max<std::int64_t>(model.steps, 1))});
  }
  if (model.steps > 0 && model.radius == 0 && !model.self_neighbour) {
    found.push_back({{"model.radius", "model.self_neighbour"},
                     "0 with model.self_neighbour = false leaves no neighbour at all; expected a "
                     "radius of at least 1, or model.self_neighbour = true"});
  }
  if (model.alpha_learned && (model.alpha <= 0 || model.alpha >= 1)) {
    found.push_back({{"model.alpha", "model.alpha_learned"},
                     fmt::format("{} cannot be learned from; with model.alpha_learned = true it "
                                 "must be above 0 and below 1",
                                 model.alpha)});
  }
}

void check_embedding_file(const Config& config, std::vector<Conflict>& found) {
  if (config.model.embedding_file.empty() || config.model.type != ModelType::diffusion) return;
  if (config.tokenizer.type == TokenizerType::bytes ||
      config.tokenizer.type == TokenizerType::values) {
    found.push_back({{"model.embedding_file", "tokenizer.type"},
                     fmt::format("has vectors of words, but tokenizer.type = {} has none; expected "
                                 "words or wordpiece",
                                 enum_name(config.tokenizer.type))});
  }
}

void check_tokenizer(const TokenizerConfig& tokenizer, std::vector<Conflict>& found) {
  if (tokenizer.type == TokenizerType::wordpiece && tokenizer.vocab.empty()) {
    found.push_back({{"tokenizer.vocab", "tokenizer.type"},
                     "empty, but tokenizer.type = wordpiece needs a vocabulary; set it to BERT's "
                     "vocab.txt, or choose tokenizer.type = words"});
  }
  if (tokenizer.special_tokens && tokenizer.type != TokenizerType::wordpiece) {
    found.push_back({{"tokenizer.special_tokens", "tokenizer.type"},
                     fmt::format("tokenizer.type = {} has no [CLS] and [SEP]; expected wordpiece",
                                 enum_name(tokenizer.type))});
  }
  if (tokenizer.long_texts == LongTexts::pool && tokenizer.max_tokens == 0) {
    found.push_back(
        {{"tokenizer.long_texts", "tokenizer.max_tokens"},
         "pool needs the length of a piece, but tokenizer.max_tokens = 0 is none; "
         "expected at least 1, or tokenizer.long_texts = cut, which then cuts nothing"});
  }
  if (tokenizer.special_tokens && tokenizer.max_tokens != 0 && tokenizer.max_tokens < 3) {
    found.push_back({{"tokenizer.max_tokens", "tokenizer.special_tokens"},
                     fmt::format("{} leaves no room beside [CLS] and [SEP]; expected at least 3",
                                 tokenizer.max_tokens)});
  }
}

/// Numbers are no words: what is learned of words by themselves has nothing to learn of them.
void check_values(const Config& config, std::vector<Conflict>& found) {
  const bool values = config.tokenizer.type == TokenizerType::values;
  const auto refuse = [&](bool used, const char* key, const std::string& value) {
    if (used)
      found.push_back({{key, "tokenizer.type"},
                       fmt::format("{}, but tokenizer.type = values has numbers and no words; "
                                   "expected 0, or another type",
                                   value)});
  };
  if (values) {
    refuse(config.ngrams.max > 0, "ngrams.max", std::to_string(config.ngrams.max));
    refuse(config.ngrams.char_max > 0, "ngrams.char_max", std::to_string(config.ngrams.char_max));
    refuse(config.model.bigram_buckets > 0, "model.bigram_buckets",
           std::to_string(config.model.bigram_buckets));
    const std::vector<ModelType> readers = with_own_embedding();
    if (std::ranges::find(readers, config.model.type) == readers.end())
      found.push_back({{"model.type", "tokenizer.type"},
                       fmt::format("{} reads words, but tokenizer.type = values has numbers; "
                                   "expected {}",
                                   enum_name(config.model.type), type_names(readers, "or"))});
    if (!config.train.pretrain.empty())
      found.push_back(
          {{"train.pretrain", "tokenizer.type"},
           fmt::format("\"{}\": hidden words are predicted, but tokenizer.type = values "
                       "has numbers; expected nothing",
                       config.train.pretrain)});
  }
  if (config.data.format == FileFormat::pixels && !values &&
      config.tokenizer.type != TokenizerType::bytes)
    found.push_back({{"tokenizer.type", "data.format"},
                     fmt::format("{} reads text, but data.format = pixels has bytes; expected "
                                 "values or bytes",
                                 enum_name(config.tokenizer.type))});
}

void check_ngrams(const Config& config, std::vector<Conflict>& found) {
  const NgramConfig& ngrams = config.ngrams;
  if (config.model.type == ModelType::diffusion && config.model.dim == 0 && !ngrams.used()) {
    found.push_back({{"model.dim", "ngrams.max"},
                     "0 leaves no model without n-grams; expected a width of at least 1, or "
                     "ngrams.max of at least 1"});
  }
  if (ngrams.char_max > 0 && ngrams.char_min > ngrams.char_max) {
    found.push_back({{"ngrams.char_min", "ngrams.char_max"},
                     fmt::format("{} is more than ngrams.char_max = {}; expected at most as much",
                                 ngrams.char_min, ngrams.char_max)});
  }
}

void check_pretraining(const Config& config, std::vector<Conflict>& found) {
  if (const double factor = config.train.embedding_lr_factor; factor < 0 && factor != -1)
    found.push_back({{"train.embedding_lr_factor"},
                     fmt::format("{} is none; expected -1, or a number of at least 0", factor)});
  if (config.train.pretrain.empty()) return;
  if (config.model.type != ModelType::diffusion)
    found.push_back(
        {{"train.pretrain", "model.type"},
         fmt::format("\"{}\": only a diffusion model is pretrained, and model.type = {}",
                     config.train.pretrain, enum_name(config.model.type))});
  else if (config.model.dim == 0)
    found.push_back({{"train.pretrain", "model.dim"},
                     fmt::format("\"{}\": with model.dim = 0 there is no network to pretrain",
                                 config.train.pretrain)});
}

void check_columns(const DataConfig& data, std::vector<Conflict>& found) {
  const std::vector<std::string>& texts = data.text_columns;
  if (!data.weight_column.empty() && data.weight_column == data.label_column) {
    found.push_back({{"data.weight_column", "data.label_column"},
                     fmt::format("is the label column \"{}\"; expected another column",
                                 printable(data.weight_column))});
  }
  for (auto column = texts.begin(); column != texts.end(); ++column) {
    if (*column == data.weight_column) {
      found.push_back({{"data.text_columns", "data.weight_column"},
                       fmt::format("holds the weight column \"{}\"; expected other columns",
                                   printable(*column))});
    }
    if (*column == data.label_column) {
      found.push_back({{"data.text_columns", "data.label_column"},
                       fmt::format("holds the label column \"{}\"; expected other columns",
                                   printable(*column))});
    }
    if (std::find(texts.begin(), column, *column) != column) {
      found.push_back(
          {{"data.text_columns"},
           fmt::format("holds \"{}\" twice; expected each column once", printable(*column))});
    }
  }
}

void check_several_labels(const Config& config, std::vector<Conflict>& found) {
  const std::string& separator = config.data.label_separator;
  if (separator.empty()) return;
  if (separator.find_first_of("\n\r") != std::string::npos)
    found.push_back({{"data.label_separator"},
                     "holds a line break; expected what stands between "
                     "labels on one line, such as \"|\""});
  if (!config.data.soft_labels.empty())
    found.push_back({{"data.soft_labels", "data.label_separator"},
                     "is a distribution over classes of which a text has one, but with "
                     "data.label_separator a text has any number; expected one of the two keys"});
  if (config.train.class_weights.rule != ClassWeights::Rule::none)
    found.push_back({{"train.class_weights", "data.label_separator"},
                     "weighs texts by their class, but with data.label_separator a text has any "
                     "number; expected none (the threshold of each label makes up for rare ones; "
                     "data.weight_column weighs texts)"});
}

void check_lengths(const TrainConfig& train, std::vector<Conflict>& found) {
  const auto read = [&found](const char* key, const std::string& text) {
    try {
      return parse_length(text);
    } catch (const ConfigError& error) {  // a number too large for the pattern to see
      found.push_back({{key}, error.what()});
      return Length{1, Length::Unit::epochs};
    }
  };
  if (train.warmup != kAutomaticLength) read("train.warmup", train.warmup);
  const Length every = read("train.evaluate_every", train.evaluate_every);
  read("train.checkpoint_every", train.checkpoint_every);
  if (train.length != kAutomaticLength && read("train.length", train.length).value == 0) {
    found.push_back({{"train.length"},
                     fmt::format("\"{}\" trains nothing; expected more than 0", train.length)});
  }
  if (every.value == 0) {
    found.push_back(
        {{"train.evaluate_every"},
         fmt::format("\"{}\" never comes round; expected more than 0", train.evaluate_every)});
  }
}

/// Whether this can be told without knowing the number of rows.
bool outlasts(const std::string& warmup, const std::string& length) {
  if (warmup == kAutomaticLength || length == kAutomaticLength) return false;
  const Length first = parse_length(warmup);
  const Length whole = parse_length(length);
  return first.unit == whole.unit && first.value > whole.value;
}

void note(std::vector<Conflict>& found, bool condition, std::vector<std::string> keys,
          std::string message) {
  if (condition) found.push_back({std::move(keys), std::move(message)});
}

}  // namespace

void check_model(const ModelConfig& model) {
  std::vector<Conflict> found;
  find_model_conflicts(model, found);
  Faults faults;
  for (const Conflict& conflict : found) {
    faults.add(conflict.keys.front(), "", conflict.message);
  }
  faults.throw_if_any();
}

std::vector<Conflict> find_conflicts(const Config& config) {
  std::vector<Conflict> found;
  check_tokenizer(config.tokenizer, found);
  find_model_type_conflicts(config, found);
  if (config.train.patience > 0 && config.data.validation.empty() &&
      config.data.validation_fraction == 0) {
    found.push_back({{"train.patience", "data.validation_fraction"},
                     fmt::format("{} waits for a better validation, but there is none; set "
                                 "data.validation or data.validation_fraction, or train.patience "
                                 "to 0",
                                 config.train.patience)});
  }
  if (!config.data.test.empty() && config.data.test_fraction > 0) {
    found.push_back({{"data.test_fraction", "data.test"},
                     fmt::format("{} splits test rows off, but data.test names a file of them; set "
                                 "data.test_fraction to 0, or data.test to nothing",
                                 config.data.test_fraction)});
  }
  if (config.data.train.from_stdin() && config.data.test_fraction > 0)
    found.push_back({{"data.test_fraction", "data.train"},
                     fmt::format("{} splits test rows off, for which data.train is read twice, but "
                                 "stdin can be read once; set data.test to a file, or "
                                 "data.test_fraction to 0",
                                 config.data.test_fraction)});
  if (config.data.train.from_stdin() && config.data.format == FileFormat::automatic)
    found.push_back({{"data.format", "data.train"},
                     "is auto, but stdin has no name that tells the format; set it to csv, tsv, "
                     "jsonl or pixels"});
  check_ngrams(config, found);
  check_values(config, found);
  check_pretraining(config, found);
  check_columns(config.data, found);
  check_several_labels(config, found);
  check_embedding_file(config, found);
  find_model_conflicts(config.model, found);
  check_lengths(config.train, found);
  return found;
}

std::vector<Conflict> find_oddities(const Config& config) {
  std::vector<Conflict> found;
  const ModelConfig& model = config.model;
  find_ineffective_keys(config, found);
  note(found,
       model.embedding_file.empty() && model.embedding_file_std != ModelConfig{}.embedding_file_std,
       {"model.embedding_file_std", "model.embedding_file"},
       "has no effect without model.embedding_file");
  note(found,
       model.embedding_file.empty() && model.embedding_words != ModelConfig{}.embedding_words,
       {"model.embedding_words", "model.embedding_file"},
       "has no effect without model.embedding_file");
  note(found,
       config.data.soft_labels.empty() &&
           config.train.soft_label_weight != TrainConfig{}.soft_label_weight,
       {"train.soft_label_weight", "data.soft_labels"}, "has no effect without data.soft_labels");
  note(found, config.train.pretrain.empty() && !config.pretrain.texts.empty(),
       {"pretrain.texts", "train.pretrain"}, "has no effect without train.pretrain");
  note(found, model.function == FunctionKind::linear && model.hidden_dim != 0,
       {"model.hidden_dim", "model.function"},
       "has no effect, because model.function = linear has no hidden layer");
  note(found, model.bigram_buckets == 0 && model.bigram_dropout != ModelConfig{}.bigram_dropout,
       {"model.bigram_dropout", "model.bigram_buckets"},
       "has no effect, because model.bigram_buckets is 0");
  note(found, model.noise_at_evaluation && model.noise_std == 0,
       {"model.noise_at_evaluation", "model.noise_std"},
       "has no effect, because model.noise_std is 0");
  note(found, config.tokenizer.type != TokenizerType::wordpiece && !config.tokenizer.vocab.empty(),
       {"tokenizer.vocab", "tokenizer.type"},
       fmt::format("has no effect, because tokenizer.type = {} does not read one",
                   enum_name(config.tokenizer.type)));
  note(found, config.data.label_base != 0 && config.data.labels.empty(),
       {"data.label_base", "data.labels"},
       "has no effect without data.labels: the classes are then the labels as they stand");
  note(found, outlasts(config.train.warmup, config.train.length), {"train.warmup", "train.length"},
       fmt::format("\"{}\" is longer than train.length = \"{}\": the learning rate will not "
                   "reach its full height",
                   config.train.warmup, config.train.length));
  note(found,
       config.tokenizer.type != TokenizerType::words &&
           config.tokenizer.min_count != TokenizerConfig{}.min_count,
       {"tokenizer.min_count", "tokenizer.type"},
       fmt::format("has no effect, because tokenizer.type = {} does not count words",
                   enum_name(config.tokenizer.type)));
  note(found, config.tokenizer.type != TokenizerType::words && config.tokenizer.max_words != 0,
       {"tokenizer.max_words", "tokenizer.type"},
       fmt::format("has no effect, because tokenizer.type = {} does not count words",
                   enum_name(config.tokenizer.type)));
  note(found, !model.weight_learned && model.weight_init_std != ModelConfig{}.weight_init_std,
       {"model.weight_init_std", "model.weight_learned"},
       "has no effect, because model.weight_learned is false");
  note(found,
       !config.data.validation.empty() && config.data.validation_fraction > 0 &&
           config.data.validation_fraction != DataConfig{}.validation_fraction,
       {"data.validation_fraction", "data.validation"},
       "has no effect, because data.validation names a file");
  note(found, config.train.min_gain > 0 && config.train.patience == 0,
       {"train.min_gain", "train.patience"}, "has no effect, because train.patience is 0");
  note(found, config.train.overfit_batch, {"train.overfit_batch"},
       "trains on one batch alone: for debugging, the model will know nothing else");
  note(found, !config.data.cache && !config.data.cache_dir.empty(),
       {"data.cache_dir", "data.cache"}, "has no effect, because data.cache is false");
  note(found, !config.data.test.empty() && InputFiles(config.data.test) == config.data.train,
       {"data.test", "data.train"},
       "is the training file itself: its accuracy will say nothing about new texts");
  note(found, !config.data.validation.empty() && config.data.validation == config.data.test,
       {"data.validation", "data.test"},
       "is the test file: the best checkpoint is then chosen on it, and its accuracy flatters");
  return found;
}

}  // namespace diffuse
