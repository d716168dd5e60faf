#include "words.hpp"

#include <fmt/core.h>

#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"
#include "lines_file.hpp"
#include "plain_words.hpp"

namespace diffuse {

WordsTokenizer::WordsTokenizer(const std::filesystem::path& vocab_path, bool lowercase)
    : table_(read_distinct_lines(vocab_path, "token")), lowercase_(lowercase) {
  for (std::size_t i = 0; i < kSpecialTokens.size(); ++i) {
    const auto id = static_cast<std::int32_t>(i);
    const bool there = id < table_.size();
    if (there && table_.token(id) == kSpecialTokens[i]) continue;
    const std::string found =
        there ? fmt::format("found '{}'", printable(table_.token(id))) : "the file ends before";
    throw DataError(fmt::format(
        "{}:{}: expected {} here, {}; a 'words' vocabulary starts with the lines [PAD], [UNK], "
        "[MASK] (a BERT vocab.txt needs tokenizer.type \"wordpiece\")",
        vocab_path.string(), i + 1, kSpecialTokens[i], found));
  }
}

std::int64_t WordsTokenizer::encode(std::string_view text, std::int64_t max_tokens,
                                    std::vector<std::int32_t>& ids) const {
  std::int64_t length = 0;
  const auto emit = [&](std::string_view word) {
    ++length;
    if (max_tokens > 0 && length > max_tokens) return;
    ids.push_back(id_of(word));
  };
  PlainWordSplitter splitter(lowercase_, emit);
  splitter.split(text);
  return length;
}

std::vector<PlacedToken> WordsTokenizer::encode_placed(std::string_view text,
                                                       std::int64_t max_tokens) const {
  std::vector<PlacedToken> tokens;
  const auto emit = [&](std::string_view word, Places places) {
    const auto number = static_cast<std::int32_t>(tokens.size());
    if (max_tokens > 0 && number >= max_tokens) return;
    tokens.push_back(
        {id_of(word), with_marks(text, {places.front().begin, places.back().end}), number});
  };
  PlainWordSplitter splitter(lowercase_, emit);
  splitter.split(text);
  return tokens;
}

}  // namespace diffuse
