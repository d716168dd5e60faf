// Reading and encoding the R8 training file, on one thread.

#include <benchmark/benchmark.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "diffuse/data/records.hpp"
#include "diffuse/text/tokenizer.hpp"

namespace diffuse {
namespace {

const std::string kFile = std::string(DIFFUSE_SOURCE_DIR) + "/data/r8/train.csv";
const std::string kVocab = std::string(DIFFUSE_SOURCE_DIR) + "/data/bert-base-uncased/vocab.txt";

std::vector<std::string> texts() {
  std::vector<std::string> result;
  const auto reader = open_records(std::filesystem::path(kFile), {});
  Example example;
  BadRow bad;
  while (reader->next(example, bad) == ReadStatus::row) result.push_back(example.text);
  return result;
}

std::int64_t bytes_of(const std::vector<std::string>& texts) {
  std::size_t bytes = 0;
  for (const std::string& text : texts) bytes += text.size();
  return static_cast<std::int64_t>(bytes);
}

void csv_benchmark(benchmark::State& state) {
  std::int64_t bytes = 0;
  for ([[maybe_unused]] auto _ : state) bytes = bytes_of(texts());
  state.SetBytesProcessed(state.iterations() * bytes);
}
BENCHMARK(csv_benchmark)->Unit(benchmark::kMillisecond);

/// Argument: the kind of tokenizer.
void encode_benchmark(benchmark::State& state) {
  const std::vector<std::string> all = texts();
  const std::vector<std::string_view> views(all.begin(), all.end());
  WorkerPool pool(1);
  EncodedTexts encoded;
  TokenizerConfig config;
  config.type = static_cast<TokenizerType>(state.range(0));
  std::unique_ptr<Tokenizer> tokenizer;
  if (config.type == TokenizerType::words) {
    VocabularyBuilder builder(config);
    builder.encode(views, 0, pool, encoded);
    tokenizer = builder.build().tokenizer;
  } else {
    tokenizer = load_tokenizer(config, kVocab);
  }
  for ([[maybe_unused]] auto _ : state) {
    encode_batch(*tokenizer, views, 0, pool, encoded);
    benchmark::DoNotOptimize(encoded.ids.data());
  }
  state.SetBytesProcessed(state.iterations() * bytes_of(all));
}
BENCHMARK(encode_benchmark)
    ->ArgName("type")
    ->Arg(static_cast<int>(TokenizerType::words))
    ->Arg(static_cast<int>(TokenizerType::wordpiece))
    ->Arg(static_cast<int>(TokenizerType::bytes))
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace diffuse
