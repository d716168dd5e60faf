#include "wordpiece.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "bert_words.hpp"
#include "diffuse/base/error.hpp"
#include "lines_file.hpp"
#include "special_tokens.hpp"

namespace diffuse {
namespace {

constexpr std::size_t kMaxWordCodePoints = 100;
constexpr std::size_t kMaxWordBytes = 4 * kMaxWordCodePoints;

std::size_t count_code_points(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

}  // namespace

WordPieceTokenizer::WordPieceTokenizer(const std::filesystem::path& vocab_path, bool lowercase,
                                       bool special_tokens)
    : starts_(read_distinct_lines(vocab_path, "token")),
      lowercase_(lowercase),
      special_tokens_(special_tokens) {
  for (std::int32_t id = 0; id < starts_.size(); ++id) {
    const std::string_view token = starts_.token(id);
    if (token.starts_with(kContinuation) && token.size() > kContinuation.size()) {
      continuations_.insert(token.substr(kContinuation.size()));
      continuation_ids_.push_back(id);
    }
  }
  const auto special = [&](std::string_view name) {
    const std::int32_t id = starts_.find(name);
    if (id == StringTable::kMissing) {
      throw DataError(fmt::format(
          "{}: there is no token {} in {} lines; a WordPiece vocabulary needs [UNK] and [MASK]{}, "
          "each on a line of its own (is this the vocabulary of another tokenizer?)",
          vocab_path.string(), name, starts_.size(),
          special_tokens_ ? ", and with tokenizer.special_tokens [CLS] and [SEP]" : ""));
    }
    return id;
  };
  unknown_id_ = special("[UNK]");
  mask_id_ = special("[MASK]");
  pad_id_ = std::max(starts_.find("[PAD]"), 0);
  if (!special_tokens_) return;
  class_id_ = special("[CLS]");
  separator_id_ = special("[SEP]");
}

std::int64_t WordPieceTokenizer::encode(std::string_view text, std::int64_t max_tokens,
                                        std::vector<std::int32_t>& ids) const {
  // The last place is [SEP]'s.
  const std::size_t kept = special_tokens_ ? 1 : 0;
  const std::size_t before = ids.size();
  const std::size_t limit =
      max_tokens > 0 ? before + static_cast<std::size_t>(max_tokens) - kept : ids.max_size();
  std::size_t left_out = 0;
  if (special_tokens_) ids.push_back(class_id_);
  const auto emit = [&](std::string_view word) {
    encode_word(word, ids);
    if (ids.size() <= limit) return;
    left_out += ids.size() - limit;
    ids.resize(limit);
  };
  BertWordSplitter splitter(lowercase_, emit);
  splitter.split(text);
  if (special_tokens_) ids.push_back(separator_id_);
  return static_cast<std::int64_t>(ids.size() - before + left_out);
}

std::vector<PlacedToken> WordPieceTokenizer::encode_placed(std::string_view text,
                                                           std::int64_t max_tokens) const {
  std::vector<PlacedToken> tokens;
  if (special_tokens_) tokens.push_back({.id = class_id_});
  std::vector<std::int32_t> pieces;
  std::int32_t number = 0;
  const auto emit = [&](std::string_view word, Places places) {
    pieces.clear();
    encode_word(word, pieces);
    std::size_t at = 0;  // code point of the word
    for (const std::int32_t id : pieces) {
      std::size_t length = places.size();
      if (id != unknown_id_) {
        const std::string_view token = starts_.token(id);
        length = count_code_points(at > 0 ? token.substr(kContinuation.size()) : token);
      }
      const std::size_t last = std::min(at + length, places.size()) - 1;
      // Of pieces of one character, taken apart, each has all of it.
      tokens.push_back({id, with_marks(text, {places[at].begin, places[last].end}), number});
      at = last + 1;
    }
    ++number;
  };
  BertWordSplitter splitter(lowercase_, emit);
  splitter.split(text);
  const std::size_t kept = special_tokens_ ? 1 : 0;
  if (max_tokens > 0)
    tokens.resize(std::min(tokens.size(), static_cast<std::size_t>(max_tokens) - kept));
  if (special_tokens_) tokens.push_back({.id = separator_id_, .place = {text.size(), text.size()}});
  return tokens;
}

WordPieceTokenizer::Match WordPieceTokenizer::longest_match(const StringTable& table,
                                                            std::string_view text) {
  const std::size_t longest = std::min({text.size(), table.max_length(), kMaxWordBytes});
  std::array<StringTable::Key, kMaxWordBytes> keys;  // [i] of the first i + 1 bytes
  StringTable::Key key("");
  for (std::size_t i = 0; i < longest; ++i) {
    key.append(text[i]);
    keys[i] = key;
  }
  // Tokens are whole UTF-8, so a match never ends inside a code point.
  for (std::size_t length = longest; length > 0; --length) {
    const std::int32_t index = table.find(text.substr(0, length), keys[length - 1]);
    if (index != StringTable::kMissing) return {index, length};
  }
  return {};
}

void WordPieceTokenizer::encode_word(std::string_view word, std::vector<std::int32_t>& ids) const {
  if (word.size() > kMaxWordCodePoints && count_code_points(word) > kMaxWordCodePoints) {
    ids.push_back(unknown_id_);
    return;
  }
  const std::size_t before = ids.size();
  Match match = longest_match(starts_, word);
  if (match.length > 0) ids.push_back(match.index);
  while (match.length > 0 && match.length < word.size()) {
    word.remove_prefix(match.length);
    match = longest_match(continuations_, word);
    if (match.length > 0) ids.push_back(continuation_ids_[static_cast<std::size_t>(match.index)]);
  }
  if (match.length == 0) {
    ids.resize(before);
    ids.push_back(unknown_id_);
  }
}

}  // namespace diffuse
