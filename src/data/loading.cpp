#include "diffuse/data/loading.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "byte_source.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/system.hpp"
#include "encode_file.hpp"
#include "label_resolver.hpp"
#include "split.hpp"

namespace diffuse {
namespace {

int resolve_threads(int threads) { return threads > 0 ? threads : available_cores(); }

void log_loaded(const std::string& name, const EncodedDataset& data, std::string_view how) {
  log::info("{}: {} rows, {} tokens ({})", name, format_count(static_cast<long long>(data.size())),
            format_count(data.token_count()), how);
}

/// Rows of each class, by index.
std::vector<std::int64_t> count_classes(const EncodedDataset& data, const Labels& labels) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(labels.size()));
  for (std::size_t i = 0; i < data.size(); ++i) {
    ++counts[static_cast<std::size_t>(data.label(i))];
  }
  return counts;
}

void check_classes(const EncodedDataset& data, const Labels& labels, const std::string& path) {
  const std::vector<std::int64_t> counts = count_classes(data, labels);
  const auto used = std::count_if(counts.begin(), counts.end(), [](auto n) { return n > 0; });
  if (used < 2) {
    const auto only = std::find_if(counts.begin(), counts.end(), [](auto n) { return n > 0; });
    throw DataError(
        fmt::format("{}: all {} rows have the label \"{}\"; expected at least two classes (is "
                    "data.label_column the right one?)",
                    path, format_count(static_cast<long long>(data.size())),
                    labels.name(only - counts.begin())));
  }
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) {
      log::warning("data.train: no row has the label \"{}\"",
                   labels.name(static_cast<std::int64_t>(i)));
    }
  }
}

}  // namespace

TrainingData load_training_data(const DataConfig& data, const TokenizerConfig& tokenizer,
                                std::int64_t seed, int threads) {
  TrainingData result;
  // What is missing is found before the first file is read.
  const std::vector<std::pair<std::string, std::string>> files = {
      {"data.train", data.train},
      {"data.validation", data.validation},
      {"data.test", data.test},
      {"data.labels", data.labels},
      {"tokenizer.vocab", tokenizer.type == TokenizerType::bytes ? "" : tokenizer.vocab}};
  if (data.train.empty()) throw ConfigError("data.train is empty; expected a file to train on");
  for (const auto& [key, path] : files) {
    if (!path.empty()) check_data_file(path, key);
  }
  for (const auto& [key, path] : files) {
    if (!path.empty()) result.hashes.emplace_back(key, hash_file(path));
  }

  FileOptions options{data.train,    "data.train",         data,
                      data.max_rows, tokenizer.max_tokens, resolve_threads(threads)};
  LabelResolver resolver;
  if (!data.labels.empty()) {
    resolver = LabelResolver(Labels::read(data.labels), true, data.label_base);
  }
  if (tokenizer.type == TokenizerType::words && tokenizer.vocab.empty()) {
    result.tokenizer = build_vocabulary(options, tokenizer, resolver);
  } else {
    result.tokenizer = load_tokenizer(tokenizer, tokenizer.vocab);
  }
  result.train_file = encode_file(options, *result.tokenizer, resolver);
  std::vector<std::int32_t> to;
  result.labels = resolver.finish(to);
  if (!to.empty()) result.train_file->map_labels(to);
  log_loaded("data.train", *result.train_file, "read");
  check_classes(*result.train_file, result.labels, data.train);

  const auto load = [&](const std::string& key, const std::string& path) {
    FileOptions other = options;
    other.path = path;
    other.name = key;
    other.max_rows = 0;
    LabelResolver known(result.labels, !data.labels.empty(), data.label_base);
    auto file = encode_file(other, *result.tokenizer, known);
    log_loaded(key, *file, "read");
    return file;
  };
  if (data.validation.empty()) {
    Split split = split_stratified(*result.train_file, data.validation_fraction, seed);
    result.train = std::move(split.train);
    result.validation = std::move(split.validation);
    if (data.validation_fraction > 0 && result.validation.rows.empty()) {
      log::warning("data.validation_fraction = {} of {} rows leaves no row for validation",
                   data.validation_fraction, result.train_file->size());
    }
  } else {
    result.train = view_all(*result.train_file);
    result.validation_file = load("data.validation", data.validation);
    result.validation = view_all(*result.validation_file);
  }
  if (!data.test.empty()) {
    result.test_file = load("data.test", data.test);
    result.test = view_all(*result.test_file);
  }
  return result;
}

std::unique_ptr<EncodedDataset> load_labelled_file(const std::filesystem::path& path,
                                                   const DataConfig& data,
                                                   const TokenizerConfig& tokenizer_config,
                                                   const Tokenizer& tokenizer, const Labels& labels,
                                                   int threads) {
  check_data_file(path, "");
  const FileOptions options{path, path.filename().string(),    data,
                            0,    tokenizer_config.max_tokens, resolve_threads(threads)};
  LabelResolver known(labels, !data.labels.empty(), data.label_base);
  auto file = encode_file(options, tokenizer, known);
  log_loaded(options.name, *file, "read");
  return file;
}

}  // namespace diffuse
