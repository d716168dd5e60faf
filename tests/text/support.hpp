#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "diffuse/base/error.hpp"
#include "diffuse/text/tokenizer.hpp"

namespace diffuse::testing {

inline std::vector<std::int32_t> ids_of(const Tokenizer& tokenizer, std::string_view text,
                                        std::int64_t max_tokens = 0) {
  std::vector<std::int32_t> ids;
  tokenizer.encode(text, max_tokens, ids);
  return ids;
}

inline std::vector<std::string_view> views_of(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

/// The `words` tokenizer that is made of `texts`.
inline std::unique_ptr<Tokenizer> words_of(const TokenizerConfig& config,
                                           const std::vector<std::string>& texts, int threads = 1) {
  WorkerPool pool(threads);
  EncodedTexts encoded;
  VocabularyBuilder builder(config);
  builder.encode(views_of(texts), 0, pool, encoded);
  return builder.build().tokenizer;
}

/// Message of the DataError that `action` throws; "" if it throws none.
template <class Action>
std::string data_error(Action action) {
  try {
    action();
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

}  // namespace diffuse::testing
