#include "words.hpp"

#include <fmt/core.h>

#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"
#include "lines_file.hpp"
#include "plain_words.hpp"

namespace diffuse {

WordsTokenizer::WordsTokenizer(const std::vector<std::string>& words, bool lowercase)
    : lowercase_(lowercase) {
  for (const std::string_view special : kSpecialTokens) table_.insert(special);
  for (const std::string& word : words) table_.insert(word);
}

WordsTokenizer::WordsTokenizer(const std::filesystem::path& vocab_path, bool lowercase)
    : lowercase_(lowercase) {
  const std::vector<std::string> tokens = read_distinct_lines(vocab_path, "token");
  for (std::size_t i = 0; i < kSpecialTokens.size(); ++i) {
    const std::string found = i < tokens.size() ? fmt::format("found '{}'", printable(tokens[i]))
                                                : "the file ends before";
    if (i >= tokens.size() || tokens[i] != kSpecialTokens[i]) {
      throw DataError(fmt::format(
          "{}:{}: expected {} here, {}; a 'words' vocabulary starts with the lines [PAD], [UNK], "
          "[MASK] (a BERT vocab.txt needs tokenizer.type \"wordpiece\")",
          vocab_path.string(), i + 1, kSpecialTokens[i], found));
    }
  }
  for (const std::string& token : tokens) table_.insert(token);
}

std::int64_t WordsTokenizer::encode(std::string_view text, std::int64_t max_tokens,
                                    std::vector<std::int32_t>& ids) const {
  std::int64_t length = 0;
  const auto emit = [&](std::string_view word) {
    ++length;
    if (max_tokens > 0 && length > max_tokens) return;
    const std::int32_t id = table_.find(word);
    ids.push_back(id == TokenTable::kMissing ? kUnknownId : id);
  };
  PlainWordSplitter splitter(lowercase_, emit);
  splitter.split(text);
  return length;
}

std::string WordsTokenizer::vocab_text() const {
  std::string content;
  for (std::int32_t id = 0; id < table_.size(); ++id) {
    content.append(table_.token(id)).push_back('\n');
  }
  return content;
}

}  // namespace diffuse
