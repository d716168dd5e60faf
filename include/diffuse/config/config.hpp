#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "diffuse/config/input_files.hpp"
#include "diffuse/config/model_types.hpp"

namespace diffuse {

/// What a parameter means, its unit, range and choices stand in the tables of
/// `src/config/*_fields.cpp`; here are only its type and its default.

enum class FileFormat { automatic, csv, tsv, jsonl, pixels };
enum class HeaderMode { automatic, yes, no };
enum class QuoteMode { standard, none };
enum class OnError { error, skip };

struct DataConfig {
  InputFiles train;
  std::string validation;
  std::string test;
  FileFormat format = FileFormat::automatic;
  std::string separator;
  QuoteMode quote = QuoteMode::standard;
  HeaderMode header = HeaderMode::automatic;
  std::string label_column;
  std::vector<std::string> text_columns;
  std::string weight_column;
  std::string soft_labels;
  std::string label_separator;
  std::string labels;
  std::int64_t label_base = 0;
  std::int64_t max_rows = 0;
  std::int64_t epoch_rows = 0;
  double validation_fraction = -1;
  double test_fraction = 0;
  OnError on_error = OnError::error;
  bool cache = true;
  std::string cache_dir;
};

enum class TokenizerType { words, wordpiece, bytes, values };

/// What becomes of a text that is longer than max_tokens: its end is cut off, or it is read in
/// pieces whose logits are averaged.
enum class LongTexts { cut, pool };

struct TokenizerConfig {
  TokenizerType type = TokenizerType::words;
  std::string vocab;
  bool lowercase = true;
  std::int64_t min_count = 0;
  std::int64_t max_tokens = 256;
  LongTexts long_texts = LongTexts::cut;
  bool special_tokens = false;
  std::int64_t max_words = 0;
  std::int64_t counted_words = 2'000'000;

  /// Tokens after which texts are cut off; 0: nowhere.
  std::int64_t cut_at() const { return long_texts == LongTexts::cut ? max_tokens : 0; }
};

/// What an n-gram counts in a text, before the text has unit length.
enum class NgramWeighting { tfidf, naive_bayes, binary };

/// The linear branch: one weight per n-gram and class.
struct NgramConfig {
  std::int64_t max = 0;
  std::int64_t char_min = 2;
  std::int64_t char_max = 0;
  std::int64_t min_count = 0;
  std::int64_t max_features = 4'000'000;
  std::int64_t counted = 10'000'000;
  std::int64_t max_rows = 1'000'000;
  NgramWeighting weighting = NgramWeighting::tfidf;
  double cost = 1.0;
  double factor = 0.0;

  bool used() const { return max > 0 || char_max > 0; }
};

enum class WeightKind { scalar, channel, full };
enum class FunctionKind { linear, mlp, glu };
enum class Activation { identity, relu, gelu, silu, tanh };
enum class NormPosition { none, pre, post };
enum class BaseState { state, initial };
enum class Pooling { mean, max, mean_max };

struct ModelConfig {
  ModelType type = ModelType::diffusion;
  std::string file;
  std::int64_t dim = 64;
  std::int64_t steps = 2;
  double alpha = 0.5;
  bool alpha_learned = false;
  double noise_std = 0.0;
  bool noise_at_evaluation = false;
  std::int64_t radius = 1;
  std::vector<std::int64_t> dilation = {1};
  bool self_neighbour = true;
  bool causal = false;
  WeightKind weight = WeightKind::channel;
  double weight_init = 0.0;
  double weight_init_std = 0.1;
  bool weight_learned = true;
  FunctionKind function = FunctionKind::linear;
  Activation activation = Activation::gelu;
  std::int64_t hidden_dim = 0;
  bool share_weights = false;
  NormPosition norm = NormPosition::pre;
  BaseState base = BaseState::state;
  Pooling pooling = Pooling::mean_max;
  std::int64_t head_hidden_dim = -1;
  double embedding_init_std = 0.02;
  std::int64_t bigram_buckets = 0;
  double bigram_dropout = 0.5;
  std::string embedding_file;
  double embedding_file_std = 0;
  std::int64_t embedding_words = 50000;
  double token_dropout = 0.1;
  std::int64_t token_dropout_span = 1;
  double embedding_dropout = 0.2;
  double head_dropout = 0.2;
};

/// BERT (Devlin et al. 2019) or DistilBERT (Sanh et al. 2019): of a folder of Hugging Face, or of
/// these sizes.
struct BertFamilyConfig {
  std::string pretrained{};
  std::int64_t dim = 768;
  std::int64_t layers = 6;
  std::int64_t heads = 12;
  std::int64_t hidden_dim = 3072;
  std::int64_t max_positions = 512;
  double init_std = 0.02;
  double dropout = 0.1;
  double attention_dropout = 0.1;
  double classifier_dropout = 0.2;
  std::int64_t token_types = 2;  // BERT's alone, as is what follows
  bool mean_pooling = false;
  double norm_eps = 1e-12;
};

enum class FeatureMap { relu, softmax };

/// What mixes the tokens in place of the diffusion steps, in the models that stand for others'.
struct MixerConfig {
  std::int64_t heads = 4;
  std::int64_t hidden_dim = 0;
  bool positions = true;
  double dropout = 0.1;
  std::int64_t max_positions = 4096;
  std::int64_t projected = 256;
  FeatureMap feature_map = FeatureMap::relu;
  std::int64_t features = 256;
  std::int64_t state_dim = 64;
  std::int64_t head_dim = 64;
  std::int64_t expand = 2;
  std::int64_t conv_width = 4;
  std::int64_t chunk = 64;
  bool both_directions = true;
};

/// Learning from the texts alone, before the labels: which words stood where others were put.
struct PretrainConfig {
  std::vector<std::string> texts;
  double masked = 0.3;
  std::int64_t span = 0;
  std::int64_t negatives = 256;
  std::int64_t batch_size = 128;
  double learning_rate = 2e-3;
};

/// How much a training row counts by its class.
struct ClassWeights {
  enum class Rule { none, balanced, by_name };

  Rule rule = Rule::none;
  /// Of by_name, in the order given; a class that is not here has 1.
  std::vector<std::pair<std::string, double>> by_name{};
  bool operator==(const ClassWeights&) const = default;
};

enum class Schedule { constant, linear, cosine };
/// Which code runs the diffusion operator: ops/cpu (fused), ops/dispatched (operations), which a
/// CUDA device has kernels for, or ops/reference.
enum class Kernel { automatic, fused, operations, reference };
/// Which rows of the embedding an update moves.
enum class EmbeddingUpdate { touched, dense };
enum class Precision { automatic, fp32, tf32, bf16, fp16 };
/// What the best checkpoint is chosen by, and early stopping.
enum class ValidationMetric { accuracy, macro_f1, loss };

struct TrainConfig {
  std::int64_t seed = 1;
  std::string init;
  std::string pretrain;
  std::string length = "auto";
  std::int64_t max_updates = 0;
  std::int64_t batch_size = 128;
  std::int64_t batch_tokens = 0;
  std::int64_t accumulate = 1;
  std::int64_t sort_window = 50;
  bool overfit_batch = false;
  double learning_rate = 3e-3;
  double embedding_lr_factor = -1.0;
  double beta1 = 0.9;
  double beta2 = 0.98;
  double epsilon = 1e-8;
  double weight_decay = 0.0;
  double embedding_weight_decay = 0.0;
  std::string warmup = "auto";
  Schedule schedule = Schedule::cosine;
  double clip_norm = 1.0;
  double label_smoothing = 0.05;
  double adversarial = 0.0;
  bool picture_flip = false;
  std::int64_t picture_shift = 0;
  double soft_label_weight = 0.5;
  ClassWeights class_weights;
  double ema_decay = 0.999;
  std::string evaluate_every = "1e";
  ValidationMetric metric = ValidationMetric::accuracy;
  std::int64_t patience = 0;
  double min_gain = 0.0;
  std::string checkpoint_every = "0u";
  std::int64_t keep_checkpoints = 2;
  std::int64_t log_every = 100;
  bool tensorboard = false;
  Kernel kernel = Kernel::automatic;
  EmbeddingUpdate embedding_update = EmbeddingUpdate::touched;
  Precision precision = Precision::automatic;
  std::string device = "auto";
  std::int64_t threads = 0;
};

/// The effective configuration of one run.
struct Config {
  DataConfig data;
  TokenizerConfig tokenizer;
  NgramConfig ngrams;
  ModelConfig model;
  BertFamilyConfig distilbert;
  BertFamilyConfig bert = {.layers = 12, .classifier_dropout = 0.1};
  MixerConfig mixer;
  PretrainConfig pretrain;
  TrainConfig train;
};

}  // namespace diffuse
