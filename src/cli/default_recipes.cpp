#include "default_recipes.hpp"

#include <cstdint>
#include <iterator>

#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"

namespace diffuse::cli {
namespace {

/// Of few rows those that choose are missed in training, and choose badly; the last epoch of these
/// recipes is a good one. But of several labels they choose each one's threshold, too.
void train_on_all_rows(Config& config, Choices& choices) {
  if (choices.is_given("data.validation") || config.train.patience > 0) return;
  if (!config.data.label_separator.empty()) return;
  choices.set("data.validation_fraction", config.data.validation_fraction, 0.0);
}

}  // namespace

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

void choose_for_two_classes(Config& config, Choices& choices) {
  train_on_all_rows(config, choices);
  choices.set("model.token_dropout", config.model.token_dropout, 0.1);
  choices.set("model.embedding_dropout", config.model.embedding_dropout, 0.3);
  choices.set("model.head_dropout", config.model.head_dropout, 0.3);
  choices.set("train.batch_size", config.train.batch_size, std::int64_t{32});
  choices.set("train.length", config.train.length, std::string("4e"));
  choices.set("train.learning_rate", config.train.learning_rate, 3e-3);
}

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

void choose_for_pixels(Config& config, Choices& choices) {
  ModelConfig& model = config.model;
  choices.set("tokenizer.type", config.tokenizer.type, TokenizerType::values);
  choices.set("tokenizer.max_tokens", config.tokenizer.max_tokens, std::int64_t{1024});
  choices.set("model.dim", model.dim, std::int64_t{64});
  choices.set("model.steps", model.steps, std::int64_t{12});
  std::vector<std::int64_t> dilation = {1, 32, 1, 32, 2, 64, 2, 64, 4, 128, 8, 256};
  if (std::ssize(dilation) > model.steps)
    dilation.resize(static_cast<std::size_t>(std::max<std::int64_t>(model.steps, 1)));
  choices.set("model.dilation", model.dilation, dilation);
  choices.set("model.radius", model.radius, std::int64_t{2});
  choices.set("model.alpha", model.alpha, 0.85);
  choices.set("model.alpha_learned", model.alpha_learned, true);
  choices.set("model.weight_init_std", model.weight_init_std, 0.6);
  choices.set("model.token_dropout", model.token_dropout, 0.0);
  choices.set("model.embedding_dropout", model.embedding_dropout, 0.0);
  choices.set("model.head_dropout", model.head_dropout, 0.1);
  choices.set("train.batch_size", config.train.batch_size, std::int64_t{50});
  choices.set("train.learning_rate", config.train.learning_rate, 8e-3);
  choices.set("train.length", config.train.length, std::string("9e"));
  // Of a picture that is cut off nothing can be moved.
  if (const std::int64_t most = config.tokenizer.cut_at(); most == 0 || most >= 1024)
    choices.set("train.picture_shift", config.train.picture_shift, std::int64_t{3});
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
