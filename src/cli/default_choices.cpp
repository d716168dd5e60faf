#include "default_choices.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/base/worker_pool.hpp"
#include "diffuse/data/records.hpp"
#include "diffuse/data/row_parts.hpp"
#include "diffuse/data/survey.hpp"
#include "diffuse/ngrams/choose_ngrams.hpp"

namespace diffuse::cli {
namespace {

// What the n-grams are chosen on: enough rows to tell choices apart, read in about a second.
constexpr std::size_t kSampleRows = 12'000;
constexpr std::size_t kSampleBytes = 4'000'000;

/// Sets keys that nobody has given, and remembers them for the log.
class Choices {
 public:
  explicit Choices(const Overrides& given) : given_(given) {}

  template <class Value>
  void set(const char* key, Value& member, const Value& value) {
    if (is_given(key) || member == value) return;
    member = value;
    if (!text_.empty()) text_ += ", ";
    if constexpr (std::is_enum_v<Value>)
      text_ += fmt::format("{} = {}", key, enum_name(value));
    else
      text_ += fmt::format("{} = {}", key, value);
  }
  bool is_given(std::string_view key) const {
    return std::ranges::any_of(given_, [&](const auto& entry) { return entry.first == key; });
  }
  const std::string& text() const { return text_; }

 private:
  const Overrides& given_;
  std::string text_;
};

/// Of few rows those that choose are missed in training, and choose badly; the last epoch of these
/// recipes is a good one. But of several labels they choose each one's threshold, too.
void train_on_all_rows(Config& config, Choices& choices) {
  if (choices.is_given("data.validation") || config.train.patience > 0) return;
  if (!config.data.label_separator.empty()) return;
  choices.set("data.validation_fraction", config.data.validation_fraction, 0.0);
}

/// A question, a title: what decides is a phrase, and the strongest match of each channel is the
/// answer (configs/trec.json, which says how it was found).
void choose_for_short_texts(Config& config, Choices& choices) {
  train_on_all_rows(config, choices);
  ModelConfig& model = config.model;
  choices.set("model.dim", model.dim, std::int64_t{128});
  // One given for each step says how many there are.
  if (model.dilation.size() == 1) choices.set("model.steps", model.steps, std::int64_t{1});
  choices.set("model.radius", model.radius, std::int64_t{2});
  choices.set("model.alpha", model.alpha, 0.2);
  choices.set("model.pooling", model.pooling, Pooling::max);
  choices.set("model.weight", model.weight, WeightKind::full);
  choices.set("model.activation", model.activation, Activation::identity);
  choices.set("model.norm", model.norm, NormPosition::none);
  choices.set("model.head_hidden_dim", model.head_hidden_dim, std::int64_t{0});
  choices.set("model.embedding_init_std", model.embedding_init_std, 0.15);
  choices.set("model.token_dropout", model.token_dropout, 0.0);
  choices.set("model.embedding_dropout", model.embedding_dropout, 0.5);
  choices.set("model.head_dropout", model.head_dropout, 0.5);
  choices.set("train.batch_size", config.train.batch_size, std::int64_t{32});
  choices.set("train.length", config.train.length, std::string("12e"));
  choices.set("train.label_smoothing", config.train.label_smoothing, 0.1);
}

/// Few texts: many small updates of a network that learns them by heart late (configs/r8.json).
void choose_for_few_texts(Config& config, Choices& choices) {
  train_on_all_rows(config, choices);
  ModelConfig& model = config.model;
  choices.set("model.dim", model.dim, std::int64_t{128});
  choices.set("model.activation", model.activation, Activation::identity);
  choices.set("model.head_hidden_dim", model.head_hidden_dim, std::int64_t{0});
  choices.set("model.embedding_dropout", model.embedding_dropout, 0.3);
  choices.set("model.head_dropout", model.head_dropout, 0.3);
  choices.set("train.batch_size", config.train.batch_size, std::int64_t{32});
  choices.set("train.length", config.train.length, std::string("12e"));
  choices.set("train.learning_rate", config.train.learning_rate, 2e-3);
}

/// Two classes: opinions, mostly, of which a network that learns its texts by heart knows nothing
/// new; a few epochs know as much in a third of the time (docs/defaults.md, configs/imdb.json).
void choose_for_two_classes(Config& config, Choices& choices) {
  train_on_all_rows(config, choices);
  choices.set("model.token_dropout", config.model.token_dropout, 0.1);
  choices.set("model.embedding_dropout", config.model.embedding_dropout, 0.3);
  choices.set("model.head_dropout", config.model.head_dropout, 0.3);
  choices.set("train.batch_size", config.train.batch_size, std::int64_t{32});
  choices.set("train.length", config.train.length, std::string("4e"));
  choices.set("train.learning_rate", config.train.learning_rate, 3e-3);
}

/// Many texts: pairs of words have rows of their own, and a second pass over each batch pays
/// (configs/agnews.json, at half of its width).
void choose_for_many_texts(Config& config, Choices& choices) {
  ModelConfig& model = config.model;
  choices.set("model.bigram_buckets", model.bigram_buckets, std::int64_t{262144});
  choices.set("model.token_dropout", model.token_dropout, 0.0);
  choices.set("model.embedding_dropout", model.embedding_dropout, 0.3);
  choices.set("model.head_dropout", model.head_dropout, 0.1);
  choices.set("train.adversarial", config.train.adversarial, 0.05);
  choices.set("train.schedule", config.train.schedule, Schedule::linear);
  choices.set("train.ema_decay", config.train.ema_decay, 0.0);
  choices.set("train.length", config.train.length, std::string("4e"));
}

/// Pictures of 32 x 32 pixels, row by row: the distance doubles from step to step until it has
/// reached the picture's height, and no number is hidden.
void choose_for_pixels(Config& config, Choices& choices) {
  ModelConfig& model = config.model;
  choices.set("tokenizer.type", config.tokenizer.type, TokenizerType::values);
  choices.set("tokenizer.max_tokens", config.tokenizer.max_tokens, std::int64_t{1024});
  choices.set("model.steps", model.steps, std::int64_t{9});
  if (!choices.is_given("model.dilation")) {
    constexpr std::int64_t kFarthest = 256;
    model.dilation = {1};
    while (std::ssize(model.dilation) < model.steps && model.dilation.back() < kFarthest)
      model.dilation.push_back(2 * model.dilation.back());
  }
  choices.set("model.function", model.function, FunctionKind::glu);
  choices.set("model.embedding_init_std", model.embedding_init_std, 1.0);
  choices.set("model.token_dropout", model.token_dropout, 0.0);
  choices.set("model.embedding_dropout", model.embedding_dropout, 0.0);
  choices.set("train.batch_size", config.train.batch_size, std::int64_t{32});
}

/// The network's and its training's keys.
void choose_network(const DataSurvey& survey, Config& config, Choices& choices) {
  constexpr std::int64_t kShortText = 100;  // bytes; some 18 words
  constexpr std::int64_t kLongText = 800;   // some 150 words
  constexpr std::int64_t kVeryFewShortTexts = 200;
  constexpr std::int64_t kVeryFewTexts = 500;
  constexpr std::int64_t kVeryFewOfTwoClasses = 1000;
  constexpr std::int64_t kFewRows = 20'000;
  constexpr std::int64_t kManyRows = 30'000;
  const std::int64_t bytes_a_text = survey.text_bytes / std::max<std::int64_t>(survey.rows, 1);
  const bool two_classes = survey.class_names.size() == 2;
  // Of these the configuration's own defaults know as much (docs/defaults.md, "Few rows").
  if (survey.rows < (two_classes                 ? kVeryFewOfTwoClasses
                     : bytes_a_text < kShortText ? kVeryFewShortTexts
                                                 : kVeryFewTexts))
    return;
  if (bytes_a_text >= kLongText) {
    choices.set("tokenizer.max_tokens", config.tokenizer.max_tokens, std::int64_t{512});
    choices.set("train.batch_size", config.train.batch_size,
                survey.rows < kFewRows ? std::int64_t{32} : std::int64_t{64});
  }
  if (two_classes && survey.rows < kFewRows)
    choose_for_two_classes(config, choices);
  else if (bytes_a_text < kShortText && survey.rows < kFewRows)
    choose_for_short_texts(config, choices);
  else if (survey.rows < kFewRows)
    choose_for_few_texts(config, choices);
  else if (survey.rows >= kManyRows && bytes_a_text < kLongText)
    choose_for_many_texts(config, choices);
}

/// Thresholds of labels need rows to choose them, where one label a text could do without.
void choose_rows_for_thresholds(const DataSurvey& survey, Config& config, Choices& choices) {
  constexpr std::int64_t kFewestRows = 200;
  constexpr std::int64_t kEnoughRows = 2000;  // of which some are split off anyway
  if (config.data.label_separator.empty() || choices.is_given("data.validation")) return;
  if (survey.rows < kFewestRows || survey.rows >= kEnoughRows) return;
  choices.set("data.validation_fraction", config.data.validation_fraction, 0.1);
}

void choose_branch(const DataSurvey& survey, Config& config, Choices& choices) {
  // Whoever says which n-grams there are says all of it.
  for (const char* key : {"ngrams.max", "ngrams.char_min", "ngrams.char_max"})
    if (choices.is_given(key)) return;
  WorkerPool pool(config.train.threads > 0 ? config.train.threads : available_cores());
  const NgramConfig found =
      choose_ngrams(config.ngrams, config.tokenizer.lowercase, survey.sample_texts,
                    survey.sample_labels, survey.sample_label_lists, std::ssize(survey.class_names),
                    std::ssize(survey.sample_texts) == survey.rows, pool);
  NgramConfig& own = config.ngrams;
  choices.set("ngrams.max", own.max, found.max);
  choices.set("ngrams.weighting", own.weighting, found.weighting);
  choices.set("ngrams.min_count", own.min_count, found.min_count);
  choices.set("ngrams.cost", own.cost, found.cost);
  if (found.char_max == 0) return;
  choices.set("ngrams.char_min", own.char_min, found.char_min);
  choices.set("ngrams.char_max", own.char_max, found.char_max);
}

}  // namespace

namespace {

bool is_pixels(const DataConfig& data) {
  return data.format == FileFormat::pixels ||
         (data.format == FileFormat::automatic &&
          format_of_name(data.train.first()) == FileFormat::pixels);
}

}  // namespace

Config choose_defaults(const Config& config, const Overrides& given) {
  if (config.model.type != ModelType::diffusion) return config;
  Choices choices(given);
  Config chosen = config;
  // Outside of what is caught below: without these the file cannot be read at all.
  if (is_pixels(config.data)) {
    choose_for_pixels(chosen, choices);
    log::info("defaults for pixels: {}", choices.text());
    return parse_config(config_json(chosen), "defaults for pixels");
  }
  try {
    const double start_s = steady_now_s();
    std::optional<RowParts> parts;  // what is to be tested chooses nothing
    if (config.data.test_fraction > 0)
      parts = split_off_test(read_labelled_rows(config.data), config.data.test_fraction,
                             config.train.seed);
    const DataSurvey survey = survey_training_file(config.data.train, config.data, kSampleRows,
                                                   kSampleBytes, parts ? &parts->train : nullptr);
    const std::size_t classes = survey.class_names.size();
    if (classes < 2 || 2 * classes > survey.sample_texts.size()) return config;
    if (config.model.dim > 0) choose_network(survey, chosen, choices);
    choose_rows_for_thresholds(survey, chosen, choices);
    choose_branch(survey, chosen, choices);
    chosen =
        parse_config(config_json(chosen), "defaults");  // beside what is given, too, it must do
    log::info("defaults for {} rows of {} classes, {} of text each, in {}: {}",
              format_count(survey.rows), format_count(std::ssize(survey.class_names)),
              format_bytes(static_cast<double>(survey.text_bytes) /
                           static_cast<double>(std::max<std::int64_t>(survey.rows, 1))),
              format_duration(steady_now_s() - start_s),
              choices.text().empty() ? "those of the configuration" : choices.text());
  } catch (const Error& error) {  // whoever reads the file in earnest says what is wrong with it
    log::debug("no defaults chosen: {}", error.what());
    return config;
  }
  return chosen;
}

std::vector<Config> default_recipes(const Config& start, const Overrides& given) {
  std::vector<Config> recipes;
  for (const auto choose : {choose_for_two_classes, choose_for_short_texts, choose_for_few_texts,
                            choose_for_many_texts}) {
    Config config = start;
    Choices choices(given);
    choose(config, choices);
    config.data.validation_fraction = start.data.validation_fraction;
    try {
      recipes.push_back(parse_config(config_json(config), "recipe"));
    } catch (const ConfigError& error) {
      log::debug("a recipe is left out: {}", error.what());
    }
  }
  return recipes;
}

}  // namespace diffuse::cli
