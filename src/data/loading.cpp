#include "diffuse/data/loading.hpp"

#include <fmt/core.h>
#include <malloc.h>

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cache.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/data/byte_source.hpp"
#include "diffuse/data/records.hpp"
#include "encode_file.hpp"
#include "equal_texts.hpp"
#include "label_resolver.hpp"
#include "separator.hpp"
#include "training_parts.hpp"

namespace diffuse {
namespace {

int resolve_threads(int threads) { return threads > 0 ? threads : available_cores(); }

void log_loaded(const std::string& name, const EncodedDataset& data, const RecordLayout& layout,
                std::string_view how) {
  log::info("{}: {}", name, layout.description);
  log::info("{}: {} row{}, {} token{} ({})", name,
            format_count(static_cast<long long>(data.size())), data.size() == 1 ? "" : "s",
            format_count(data.token_count()), data.token_count() == 1 ? "" : "s", how);
}

/// The parts of a cache key that every file's reading depends on.
std::vector<std::string> key_parts(const FileOptions& file, const TokenizerConfig& tokenizer,
                                   const std::string& hash) {
  const DataConfig& data = file.data;
  std::vector<std::string> parts = {
      hash,
      fmt::format("format {} header {} base {} rows {} on_error {}",
                  static_cast<int>(resolve_format(file.path, data.format)),
                  static_cast<int>(data.header), data.label_base, file.max_rows,
                  static_cast<int>(data.on_error)),
      fmt::format("separator {} quote {} layout {}", data.separator, static_cast<int>(data.quote),
                  file.layout ? data_facts_json({*file.layout, {}}) : ""),
      fmt::format("type {} lowercase {} tokens {} special {}", static_cast<int>(tokenizer.type),
                  tokenizer.lowercase, tokenizer.max_tokens, tokenizer.special_tokens),
      data.label_column,
      data.weight_column,
      data.soft_labels,
      data.label_separator};
  parts.insert(parts.end(), data.text_columns.begin(), data.text_columns.end());
  return parts;
}

/// The hashes of the files. The cache needs them before a file is read; without it they are taken
/// while the files are, so that these are read once.
class FileHashes {
 public:
  explicit FileHashes(bool first) : first_(first) {}

  /// Where reading the file puts its bytes; null if nowhere.
  FileHash* while_reading(const std::string& key) { return first_ ? nullptr : &reading_[key]; }
  /// What the cache's key needs; empty without a cache.
  std::string before_reading(const std::string& key, const std::string& path) {
    return first_ ? of(key, path) : "";
  }
  std::string of(const std::string& key, const std::string& path) {
    std::string& hash = known_[key];
    if (hash.empty()) hash = reading_[key].finish(path);
    return hash;
  }

 private:
  bool first_;
  std::map<std::string, FileHash> reading_;
  std::map<std::string, std::string> known_;
};

/// The vocabulary file that `config` reads: only word pieces have one.
std::string vocab_file(const TokenizerConfig& config) {
  return config.type == TokenizerType::wordpiece ? config.vocab : "";
}

/// A file whose labels and tokenizer are known, from the cache or read.
std::unique_ptr<EncodedDataset> load_known(const FileOptions& file, const std::string& hash,
                                           const TokenizerConfig& config,
                                           const Tokenizer& tokenizer, const Labels& labels,
                                           const EncodedCache& cache) {
  const bool numbers = !file.data.labels.empty();
  std::string key;
  if (cache.enabled()) {
    auto parts = key_parts(file, config, hash);
    parts.insert(parts.end(),
                 {"known", numbers ? "numbers" : "names", labels.text(), tokenizer.vocab_text()});
    key = cache_key(parts);
    auto found = cache.find(key, file.name);
    if (found && found->vocab_size == tokenizer.vocab_size() &&
        found->labels.names() == labels.names()) {
      log_loaded(file.name, *found->data, found->layout, "cached");
      return std::move(found->data);
    }
  }
  LabelResolver known(labels, numbers, file.data.label_base);
  FileFindings findings;
  auto data = encode_file(file, tokenizer, known, &findings);
  log_loaded(file.name, *data, findings.layout, "read");
  // A file of which something is to be told is read each time.
  if (!findings.told)
    cache.store(key, file.name, *data, labels, tokenizer.vocab_size(), "", findings.layout);
  return data;
}

/// Fills `result.train_file`, `labels` and `tokenizer`.
void load_train(FileOptions file, const std::string& hash, const TokenizerConfig& config,
                const NgramConfig& ngrams, const EncodedCache& cache,
                std::span<const std::string> words, TrainingData& result) {
  std::optional<Labels> names;
  if (!file.data.labels.empty()) names = Labels::read(file.data.labels);
  const bool build = config.type == TokenizerType::words;
  if (!build) result.tokenizer = load_tokenizer(config, vocab_file(config));

  std::string key;
  if (cache.enabled()) {
    auto parts = key_parts(file, config, hash);
    parts.insert(parts.end(), {"train", names ? names->text() : "",
                               build ? fmt::format("words of {} or more", config.min_count)
                                     : result.tokenizer->vocab_text()});
    if (build) parts.insert(parts.end(), words.begin(), words.end());
    key = cache_key(parts);
    auto found = cache.find(key, file.name);
    if (found && found->vocab.empty() != build) {
      if (build) result.tokenizer = load_tokenizer(config, found->vocab);
      if (found->vocab_size == result.tokenizer->vocab_size() &&
          (!names || names->names() == found->labels.names())) {
        result.labels = std::move(found->labels);
        result.train_file = std::move(found->data);
        result.facts.layout = std::move(found->layout);
        log_loaded(file.name, *result.train_file, result.facts.layout, "cached");
        return;
      }
    }
  }

  LabelResolver resolver;
  if (names) resolver = LabelResolver(*names, true, file.data.label_base);
  FileFindings findings;
  std::optional<NgramVocabularyBuilder> ngram_builder;
  if (ngrams.used()) file.ngrams.builder = &ngram_builder.emplace(ngrams, config.lowercase);
  if (build) {
    EncodedTraining made = encode_training_file(file, config, resolver, &findings, words);
    result.tokenizer = std::move(made.tokenizer);
    result.train_file = std::move(made.data);
  } else {
    result.train_file = encode_file(file, *result.tokenizer, resolver, &findings);
  }
  if (ngram_builder) {
    NgramVocabularyBuilder::Vocabulary made = ngram_builder->build();
    ngram_builder.reset();  // as large as all that follows
    result.ngrams = std::move(made.vocabulary);
    WorkerPool pool(file.threads);
    result.train_file->ngrams().map(made.final_ids, pool);
  }
  result.facts.layout = findings.layout;
  std::vector<std::int32_t> to;
  result.labels = resolver.finish(to);
  if (!to.empty()) result.train_file->map_labels(to);
  result.train_file->choose_rarest_labels(result.labels.size());
  log_loaded(file.name, *result.train_file, findings.layout, "read");
  if (!findings.told) {
    cache.store(key, file.name, *result.train_file, result.labels, result.tokenizer->vocab_size(),
                build ? result.tokenizer->vocab_text() : "", findings.layout);
  }
}

}  // namespace

void check_data_settings(const DataConfig& data, const TokenizerConfig& tokenizer) {
  std::vector<std::string> faults;
  const auto collect = [&](const std::string& path, auto&& check) {
    if (path.empty()) return;
    try {
      check();
    } catch (const UserError& error) {
      faults.emplace_back(error.what());
    }
  };
  for (const std::string& path : {data.train, data.validation, data.test}) {
    collect(path, [&] { resolve_format(path, data.format); });
  }
  collect("data.separator", [&] { configured_separator(data.separator); });
  collect(data.labels, [&] { Labels::read(data.labels); });
  collect(vocab_file(tokenizer), [&] { load_tokenizer(tokenizer, tokenizer.vocab); });
  if (!faults.empty()) throw DataError(join(faults, "\n"));
}

TrainingData load_training_data(const DataConfig& data, const TokenizerConfig& tokenizer,
                                std::int64_t seed, int threads, std::span<const std::string> words,
                                const NgramConfig& ngrams) {
  TrainingData result;
  // What is missing is found before the first file is read.
  const std::vector<std::pair<std::string, std::string>> files = {
      {"data.train", data.train},
      {"data.validation", data.validation},
      {"data.test", data.test},
      {"data.labels", data.labels},
      {"tokenizer.vocab", vocab_file(tokenizer)}};
  if (data.train.empty()) throw ConfigError("data.train is empty; expected a file to train on");
  for (const auto& [key, path] : files) {
    if (!path.empty()) check_data_file(path, key);
  }
  const EncodedCache cache(data, ngrams.used());
  FileHashes hashes(cache.enabled());
  const auto file = [&](const std::string& key, const std::string& path, std::int64_t max_rows) {
    FileOptions options{path, key, data, max_rows, tokenizer.max_tokens, resolve_threads(threads)};
    options.hash = hashes.while_reading(key);
    return options;
  };
  load_train(file("data.train", data.train, data.max_rows),
             hashes.before_reading("data.train", data.train), tokenizer, ngrams, cache, words,
             result);
  check_classes(*result.train_file, result.labels, data.train, !data.labels.empty(),
                data.label_separator);
  const auto load = [&](const std::string& key, const std::string& path) {
    FileOptions other = file(key, path, 0);
    other.layout = result.facts.layout;
    other.data = without_columns(data);
    other.own_settings = false;
    if (result.ngrams) other.ngrams.vocabulary = &*result.ngrams;
    other.unknown_labels = key == "data.test";  // as eval counts them
    try {
      return load_known(other, hashes.before_reading(key, path), tokenizer, *result.tokenizer,
                        result.labels, cache);
    } catch (const DataError& error) {
      // The file may be one that only the config names, beside a data.train of the command line.
      const std::string_view option = key == "data.test" ? "test" : "validation";
      throw DataError(fmt::format("{} ({}; another file: --{} FILE, none: --set {}=)", error.what(),
                                  key, option, key));
    }
  };

  if (data.validation.empty()) {
    Split split = split_off_validation(*result.train_file, data.validation_fraction, seed);
    result.train = std::move(split.train);
    result.validation = std::move(split.validation);
  } else {
    result.train = view_all(*result.train_file);
    result.validation_file = load("data.validation", data.validation);
    result.validation = view_all(*result.validation_file);
  }
  if (!data.test.empty()) {
    result.test_file = load("data.test", data.test);
    result.test = view_all(*result.test_file);
  }
  for (const auto& [key, path] : files) {
    if (!path.empty()) result.hashes.emplace_back(key, hashes.of(key, path));
  }
  result.facts.class_rows = count_classes(result.train, result.labels.size());
  if (result.train_file->several_labels()) result.facts.rows = std::ssize(result.train.rows);
  result.facts.different_texts = different_texts(*result.train_file);
  if (result.facts.different_texts.size() > DataFacts::kMostTexts)
    result.facts.different_texts.clear();
  result.summary = summarize_all(result, tokenizer);
  tell(data_notes(result.summary, result.labels));
  // What reading took and gave back lies in holes that are too small for a model's tensors.
  ::malloc_trim(0);
  return result;
}

std::unique_ptr<EncodedDataset> load_labelled_file(const std::filesystem::path& path,
                                                   const DataConfig& data,
                                                   const TokenizerConfig& tokenizer_config,
                                                   const Tokenizer& tokenizer, const Labels& labels,
                                                   int threads, const RecordLayout* layout,
                                                   const NgramVocabulary* ngrams) {
  check_data_file(path, "");
  FileOptions file{path, path.filename().string(),    data,
                   0,    tokenizer_config.max_tokens, resolve_threads(threads)};
  file.data.weight_column.clear();
  if (layout != nullptr) file.layout = *layout;
  file.unknown_labels = layout != nullptr;
  file.skip_hint = "--on-error skip";
  file.ngrams.vocabulary = ngrams;
  const EncodedCache cache(data, ngrams != nullptr);
  return load_known(file, cache.enabled() ? hash_file(path) : "", tokenizer_config, tokenizer,
                    labels, cache);
}

DataConfig without_columns(DataConfig data) {
  data.separator.clear();
  data.label_column.clear();
  data.text_columns.clear();
  data.weight_column.clear();
  return data;
}

}  // namespace diffuse
