#include "diffuse/text/tokenizer.hpp"

#include "bytes.hpp"
#include "diffuse/base/error.hpp"
#include "text_parts.hpp"
#include "values.hpp"
#include "wordpiece.hpp"
#include "words.hpp"

namespace diffuse {

std::unique_ptr<Tokenizer> load_tokenizer(const TokenizerConfig& config,
                                          const std::filesystem::path& vocab_path) {
  switch (config.type) {
    case TokenizerType::wordpiece:
      return std::make_unique<WordPieceTokenizer>(vocab_path, config.lowercase,
                                                  config.special_tokens);
    case TokenizerType::words:
      return std::make_unique<WordsTokenizer>(vocab_path, config.lowercase);
    case TokenizerType::bytes:
      return std::make_unique<BytesTokenizer>();
    case TokenizerType::values:
      return std::make_unique<ValuesTokenizer>();
  }
  throw ConfigError("tokenizer.type is none of words, wordpiece, bytes, values");
}

void EncodedTexts::start(std::size_t texts) {
  ids.clear();
  offsets.assign(texts + 1, 0);
  lengths.assign(texts, 0);
}

void encode_batch(const Tokenizer& tokenizer, std::span<const std::string_view> texts,
                  std::int64_t max_tokens, WorkerPool& pool, EncodedTexts& encoded,
                  const std::function<void()>& meanwhile) {
  encoded.start(texts.size());
  std::vector<TextPart> parts = cut_into_parts(texts, pool.threads());
  const auto encode = [&](std::size_t index) {
    TextPart& part = parts[index];
    for (std::size_t i = part.begin; i < part.end; ++i) {
      encoded.lengths[i] = tokenizer.encode(texts[i], max_tokens, part.ids);
      encoded.offsets[i + 1] = static_cast<std::int64_t>(part.ids.size());
    }
  };
  run_parts(pool, parts.size(), encode, meanwhile);
  for (TextPart& part : parts) {
    const auto base = static_cast<std::int64_t>(encoded.ids.size());
    for (std::size_t i = part.begin; i < part.end; ++i) encoded.offsets[i + 1] += base;
    encoded.ids.insert(encoded.ids.end(), part.ids.begin(), part.ids.end());
    part.ids = {};
  }
}

}  // namespace diffuse
