#include "diffuse/data/loading.hpp"

#include <fmt/core.h>
#include <malloc.h>

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cache.hpp"
#include "data_settings.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/data/byte_source.hpp"
#include "diffuse/data/records.hpp"
#include "encode_file.hpp"
#include "equal_texts.hpp"
#include "file_hashes.hpp"
#include "label_resolver.hpp"
#include "training_parts.hpp"

namespace diffuse {
namespace {

using Files = std::vector<std::string>;

int resolve_threads(int threads) { return threads > 0 ? threads : available_cores(); }

void log_loaded(const std::string& name, const EncodedDataset& data, const RecordLayout& layout,
                std::string_view how) {
  log::info("{}: {}", name, layout.description);
  log::info("{}: {} row{}, {} token{} ({})", name,
            format_count(static_cast<long long>(data.size())), data.size() == 1 ? "" : "s",
            format_count(data.token_count()), data.token_count() == 1 ? "" : "s", how);
}

/// Of each file, "1" or "1,3".
std::string formats_of(const FileOptions& file) {
  std::string formats =
      std::to_string(static_cast<int>(resolve_format(file.path, file.data.format)));
  for (const std::string& other : file.more)
    formats += fmt::format(",{}", static_cast<int>(resolve_format(other, file.data.format)));
  return formats;
}

/// What a new entry has just taken is no longer kept in a file of its own, but in the entry.
void take_from_cache(const EncodedCache& cache, const std::string& key, const std::string& name,
                     std::unique_ptr<EncodedDataset>& data) {
  if (!cache.enabled() || data->file_bytes() == 0) return;
  if (auto found = cache.find(key, name)) data = std::move(found->data);
}

/// The parts of a cache key that every file's reading depends on.
std::vector<std::string> key_parts(const FileOptions& file, const TokenizerConfig& tokenizer,
                                   const std::string& hash) {
  const DataConfig& data = file.data;
  std::vector<std::string> parts = {
      hash,
      fmt::format("formats {} header {} base {} rows {} on_error {}", formats_of(file),
                  static_cast<int>(data.header), data.label_base, file.max_rows,
                  static_cast<int>(data.on_error)),
      fmt::format("separator {} quote {} layout {}", data.separator, static_cast<int>(data.quote),
                  file.layout ? data_facts_json({*file.layout, {}}) : ""),
      fmt::format("type {} lowercase {} tokens {} special {}", static_cast<int>(tokenizer.type),
                  tokenizer.lowercase, tokenizer.cut_at(), tokenizer.special_tokens),
      data.label_column,
      data.weight_column,
      data.soft_labels,
      data.label_separator};
  parts.insert(parts.end(), data.text_columns.begin(), data.text_columns.end());
  return parts;
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
  if (!findings.told) {
    cache.store(key, file.name, *data, labels, tokenizer.vocab_size(), "", findings.layout);
    take_from_cache(cache, key, file.name, data);
  }
  return data;
}

/// Pixels are no words.
void check_pixels(const FileOptions& file, const TokenizerConfig& config) {
  if (config.type == TokenizerType::values || config.type == TokenizerType::bytes) return;
  if (resolve_format(file.path, file.data.format) != FileFormat::pixels) return;
  throw DataError(
      fmt::format("{}: rows of pixels, but tokenizer.type = {} reads text; expected --set "
                  "tokenizer.type=values",
                  file.path.string(), enum_name(config.type)));
}

/// Fills `result.train_file`, `labels` and `tokenizer`. `names`: the classes, where they are known.
void load_train(FileOptions file, const std::string& hash, const TokenizerConfig& config,
                const NgramConfig& ngrams, const EncodedCache& cache,
                std::span<const std::string> words, std::optional<Labels> names,
                TrainingData& result) {
  if (!names && !file.data.labels.empty()) names = Labels::read(file.data.labels);
  check_pixels(file, config);
  const bool build = config.type == TokenizerType::words;
  if (!build) result.tokenizer = load_tokenizer(config, vocab_file(config));

  std::string key;
  if (cache.enabled()) {
    auto parts = key_parts(file, config, hash);
    parts.insert(parts.end(),
                 {"train", names ? names->text() : "",
                  build ? fmt::format("words of {} or more, most {} of {}", config.min_count,
                                      config.max_words, config.counted_words)
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
  if (names) resolver = LabelResolver(*names, !file.data.labels.empty(), file.data.label_base);
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
    ngram_builder.reset();
    tell_forgotten(file, {"n-gram", "an n-gram", "ngrams.counted"}, ngrams.counted, made.forgotten);
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
    take_from_cache(cache, key, file.name, result.train_file);
  }
}

}  // namespace

TrainingData load_training_data(const DataConfig& data, const TokenizerConfig& tokenizer,
                                std::int64_t seed, int threads, std::span<const std::string> words,
                                const NgramConfig& ngrams, const RowParts* parts) {
  TrainingData result;
  if (data.train.empty()) throw ConfigError("data.train is empty; expected a file to train on");
  // What is missing is found before the first file is read.
  const Files train_files = find_files(data.train, "data.train");
  const auto single = [](const std::string& path) { return path.empty() ? Files() : Files{path}; };
  const std::vector<std::pair<std::string, Files>> files = {
      {"data.train", train_files},
      {"data.validation", single(data.validation)},
      {"data.test", single(data.test)},
      {"data.labels", single(data.labels)},
      {"tokenizer.vocab", single(vocab_file(tokenizer))}};
  for (const auto& [key, paths] : files) {
    for (const std::string& path : paths) check_data_file(path, key);
  }
  std::optional<RowParts> own_parts;
  if (parts == nullptr && data.test_fraction > 0) {
    own_parts = split_off_test(read_labelled_rows(data), data.test_fraction, seed);
    parts = &*own_parts;
  }
  // Of stdin the cache's key, a hash of all of it, would come too late.
  const EncodedCache cache(data, ngrams.used() || parts != nullptr || data.train.from_stdin());
  FileHashes hashes(cache.enabled());
  const auto file = [&](const std::string& key, const Files& paths, std::int64_t max_rows) {
    FileOptions options{paths.front(),           key, data, max_rows, tokenizer.cut_at(),
                        resolve_threads(threads)};
    options.more.assign(paths.begin() + 1, paths.end());
    options.rows_folder = cache_folder(data);
    options.hash = hashes.while_reading(key);
    return options;
  };
  FileOptions train_file = file("data.train", train_files, data.max_rows);
  if (parts != nullptr) train_file.rows = &parts->train;
  load_train(std::move(train_file), hashes.before_reading("data.train", train_files), tokenizer,
             ngrams, cache, words, parts == nullptr ? std::nullopt : std::optional(parts->names),
             result);
  check_classes(*result.train_file, result.labels, data.train.text(), !data.labels.empty(),
                data.label_separator);
  if (!data.soft_labels.empty() && !result.train_file->targets().soft())
    throw DataError(fmt::format(
        "{}: no row has the key \"{}\" (data.soft_labels); expected a probability for each class "
        "under it, in some rows at least",
        data.train.text(), printable(data.soft_labels)));
  const auto load = [&](const std::string& key, const Files& paths,
                        const std::vector<bool>* rows = nullptr) {
    FileOptions other = file(key, paths, rows == nullptr ? 0 : data.max_rows);
    other.rows = rows;
    other.quiet = rows != nullptr;
    other.layout = result.facts.layout;
    other.data = without_columns(data);
    other.own_settings = false;
    if (result.ngrams) other.ngrams.vocabulary = &*result.ngrams;
    other.unknown_labels = key == "data.test";  // as eval counts them
    try {
      return load_known(other, hashes.before_reading(key, paths), tokenizer, *result.tokenizer,
                        result.labels, cache);
    } catch (const DataError& error) {
      // The file may be one that only the config names, beside a data.train of the command line.
      const std::string_view option = key == "data.test" ? "test" : "validation";
      throw DataError(fmt::format("{} ({}; another file: --{} FILE, none: --set {}=)", error.what(),
                                  key, option, key));
    }
  };

  if (data.validation.empty()) {
    RowSplit split = split_off_validation(*result.train_file, data.validation_fraction, seed);
    result.train = std::move(split.train);
    result.validation = std::move(split.validation);
  } else {
    result.train = view_all(*result.train_file);
    result.validation_file = load("data.validation", {data.validation});
    result.validation = view_all(*result.validation_file);
  }
  if (!data.test.empty()) {
    result.test_file = load("data.test", {data.test});
    result.test = view_all(*result.test_file);
  } else if (parts != nullptr && std::ranges::find(parts->test, true) != parts->test.end()) {
    result.test_file = load("data.test", train_files, &parts->test);
    result.test = view_all(*result.test_file);
  }
  for (const auto& [key, paths] : files) {
    if (!paths.empty()) result.hashes.emplace_back(key, hashes.of(key, paths));
  }
  result.facts.class_rows = count_classes(result.train, result.labels.size());
  if (result.train_file->several_labels()) result.facts.rows = std::ssize(result.train.rows);
  result.facts.different_texts = different_texts(*result.train_file);
  if (result.facts.different_texts.size() > DataFacts::kMostTexts)
    result.facts.different_texts.clear();
  result.summary = summarize_all(
      result, tokenizer, data.test.empty() && result.test_file ? "rows kept aside" : "data.test");
  tell(data_notes(result.summary, result.labels));
  // What reading took and gave back lies in holes that are too small for a model's tensors.
  ::malloc_trim(0);
  return result;
}

std::unique_ptr<EncodedDataset> load_labelled_file(const InputFiles& files, const DataConfig& data,
                                                   const TokenizerConfig& tokenizer_config,
                                                   const Tokenizer& tokenizer, const Labels& labels,
                                                   int threads, const RecordLayout* layout,
                                                   const NgramVocabulary* ngrams,
                                                   const std::vector<bool>* rows) {
  const Files paths = find_files(files, "the rows' file");
  for (const std::string& path : paths) check_data_file(path, "");
  std::string name = std::filesystem::path(paths.front()).filename().string();
  if (paths.size() > 1) name += fmt::format(" and {} more", paths.size() - 1);
  FileOptions file{paths.front(),           name, data, 0, tokenizer_config.cut_at(),
                   resolve_threads(threads)};
  file.more.assign(paths.begin() + 1, paths.end());
  file.rows_folder = cache_folder(data);
  file.data.weight_column.clear();
  if (layout != nullptr) file.layout = *layout;
  file.unknown_labels = layout != nullptr;
  file.skip_hint = "--on-error skip";
  file.ngrams.vocabulary = ngrams;
  if (rows != nullptr) file.max_rows = data.max_rows;
  file.rows = rows;
  file.quiet = rows != nullptr;  // training has told of it
  const EncodedCache cache(data, ngrams != nullptr || rows != nullptr);
  FileHashes hashes(cache.enabled());
  return load_known(file, hashes.before_reading("", paths), tokenizer_config, tokenizer, labels,
                    cache);
}

}  // namespace diffuse
