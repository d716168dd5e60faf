#include "diffuse/text/tokenizer.hpp"

#include <algorithm>

#include "bytes.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/parallel.hpp"
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
  }
  throw ConfigError("tokenizer.type is none of words, wordpiece, bytes");
}

void encode_batch(const Tokenizer& tokenizer, std::span<const std::string> texts,
                  std::int64_t max_tokens, int threads, std::vector<std::int32_t>& ids,
                  std::vector<std::int64_t>& offsets, std::vector<std::int64_t>* lengths) {
  ids.clear();
  offsets.assign(texts.size() + 1, 0);
  if (lengths != nullptr) lengths->assign(texts.size(), 0);
  // Appends text i; offsets[i + 1] gets the size of `to` behind it.
  const auto encode = [&](std::size_t i, std::vector<std::int32_t>& to) {
    const std::int64_t length = tokenizer.encode(texts[i], max_tokens, to);
    if (lengths != nullptr) (*lengths)[i] = length;
    offsets[i + 1] = static_cast<std::int64_t>(to.size());
  };
  if (threads <= 1) {
    for (std::size_t i = 0; i < texts.size(); ++i) encode(i, ids);
    return;
  }

  // Blocks of equal size in bytes, one a thread: texts differ too much in length to share by count.
  const std::size_t blocks = std::min(texts.size(), static_cast<std::size_t>(threads));
  std::vector<std::size_t> begins{0};
  std::size_t total = 0;
  for (const std::string& text : texts) total += text.size();
  std::size_t seen = 0;
  for (std::size_t i = 0; i < texts.size() && begins.size() < blocks; ++i) {
    seen += texts[i].size();
    if (seen * blocks >= total * begins.size()) begins.push_back(i + 1);
  }
  begins.resize(blocks + 1, texts.size());

  std::vector<std::vector<std::int32_t>> block_ids(blocks);
  parallel_for(blocks, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t block = begin; block < end; ++block) {
      for (std::size_t i = begins[block]; i < begins[block + 1]; ++i) encode(i, block_ids[block]);
    }
  });
  for (std::size_t block = 0; block < blocks; ++block) {
    const auto base = static_cast<std::int64_t>(ids.size());
    for (std::size_t i = begins[block]; i < begins[block + 1]; ++i) offsets[i + 1] += base;
    ids.insert(ids.end(), block_ids[block].begin(), block_ids[block].end());
    block_ids[block] = {};
  }
}

}  // namespace diffuse
