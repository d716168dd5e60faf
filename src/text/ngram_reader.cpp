#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "diffuse/base/hash.hpp"
#include "diffuse/base/utf8.hpp"
#include "diffuse/text/ngrams.hpp"
#include "plain_words.hpp"
#include "unicode.hpp"

namespace diffuse {
namespace {

constexpr std::uint64_t kOfWords = 0x9e37'79b9'7f4a'7c15U;
constexpr std::uint64_t kOfCharacters = 0xc2b2'ae3d'27d4'eb4fU;

/// The hash of what `before` stands for with `next` behind it.
std::uint64_t follow(std::uint64_t before, std::uint64_t next) {
  std::uint64_t hash = (before ^ (before >> 29)) * 0xbf58'476d'1ce4'e5b9U + next;
  hash = (hash ^ (hash >> 32)) * 0x94d0'49bb'1331'11ebU;
  return hash ^ (hash >> 31);
}

/// Whether `word` is a character of a script without blanks, of which each is a word.
bool is_unspaced_character(std::string_view word) {
  constexpr unsigned char kFirstOfThree = 0xE0;  // all of them take three bytes or four
  if (word.empty() || static_cast<unsigned char>(word.front()) < kFirstOfThree) return false;
  return is_unspaced(decode_utf8(word.data(), word.data() + word.size()).code_point);
}

/// How a text's words become hashes; the last words are remembered for what follows them.
class WordTaker {
 public:
  WordTaker(const NgramConfig& config, std::vector<std::uint64_t>& hashes)
      : config_(config), hashes_(hashes) {}

  void operator()(std::string_view word) {
    if (config_.max > 0) add_word(hash64(word));
    if (config_.char_max == 0) return;
    if (is_unspaced_character(word)) return add_unspaced(hash64(word));
    unspaced_ = 0;
    add_characters(word);
  }

  /// Of the words' sequences, which come first, and of those of characters behind them.
  std::size_t words_ending() const { return words_ending_; }
  /// How many characters of a script without blanks the first of the sequences of characters has,
  /// one less than the next; 0: they are those inside of the word.
  std::size_t first_unspaced() const { return unspaced_ == 0 ? 0 : least_unspaced(); }

 private:
  static constexpr std::size_t kMost = 8;

  /// Shorter ones are sequences of words already.
  std::size_t least_unspaced() const {
    return config_.max > 0 ? static_cast<std::size_t>(config_.max) + 1
                           : static_cast<std::size_t>(config_.char_min);
  }

  /// The sequences of characters that end with this one.
  void add_unspaced(std::uint64_t character) {
    const auto most = static_cast<std::size_t>(config_.char_max);
    unspaced_ = std::min(unspaced_ + 1, most);
    for (std::size_t k = unspaced_; k-- > 1;)
      characters_ending_[k] = follow(characters_ending_[k - 1], character);
    characters_ending_[0] = follow(kOfCharacters, character);
    for (std::size_t count = least_unspaced(); count <= unspaced_; ++count)
      hashes_.push_back(characters_ending_[count - 1]);
  }

  void add_word(std::uint64_t word) {
    // [k]: of the k + 1 words that end here.
    for (auto k = static_cast<std::size_t>(config_.max); k-- > 1;)
      ending_[k] = ending_[k - 1] == 0 ? 0 : follow(ending_[k - 1], word);
    ending_[0] = follow(kOfWords, word);
    words_ending_ = 0;
    for (std::size_t k = 0; k < static_cast<std::size_t>(config_.max) && ending_[k] != 0; ++k) {
      hashes_.push_back(ending_[k]);
      ++words_ending_;
    }
  }

  void add_characters(std::string_view word) {
    padded_.assign(" ").append(word).append(" ");
    begins_.clear();
    for (std::size_t at = 0; at < padded_.size(); ++at)
      if ((static_cast<unsigned char>(padded_[at]) & 0xC0U) != 0x80U) begins_.push_back(at);
    begins_.push_back(padded_.size());
    const auto count = static_cast<std::int64_t>(begins_.size()) - 1;
    for (std::int64_t length = config_.char_min; length <= config_.char_max; ++length) {
      for (std::int64_t first = 0; first + length <= count; ++first) {
        const std::size_t begin = begins_[static_cast<std::size_t>(first)];
        const std::size_t end = begins_[static_cast<std::size_t>(first + length)];
        hashes_.push_back(
            follow(kOfCharacters, hash64(std::string_view(padded_).substr(begin, end - begin))));
      }
    }
  }

  const NgramConfig& config_;
  std::vector<std::uint64_t>& hashes_;
  std::uint64_t ending_[kMost] = {};
  std::size_t words_ending_ = 0;
  std::uint64_t characters_ending_[kMost] =
      {};                     // [k]: of the last k + 1, in a script without blanks
  std::size_t unspaced_ = 0;  // of these, at most char_max
  std::string padded_;
  std::vector<std::size_t> begins_;
};

}  // namespace

std::vector<PlacedNgram> NgramReader::read_placed(std::string_view text) const {
  std::vector<PlacedNgram> ngrams;
  std::vector<std::uint64_t> hashes;  // of the n-grams that a word ends
  WordTaker taker(config_, hashes);
  std::vector<std::size_t> begins;  // of the last words, the last one first
  const auto take = [&](std::string_view word, Places places) {
    hashes.clear();
    taker(word);
    const TextSpan own = with_marks(text, {places.front().begin, places.back().end});
    begins.insert(begins.begin(), own.begin);
    const auto most = static_cast<std::size_t>(std::max(config_.max, config_.char_max));
    begins.resize(std::min(begins.size(), most));
    // First come those of 1, 2, … words that end here, then those of characters.
    const std::size_t words = config_.max > 0 ? taker.words_ending() : 0;
    for (std::size_t i = 0; i < hashes.size(); ++i) {
      const bool characters = i >= words;
      TextSpan place = own;
      if (!characters)
        place.begin = begins[i];
      else if (const std::size_t first = taker.first_unspaced(); first > 0)
        place.begin = begins[first + i - words - 1];
      ngrams.push_back({hashes[i], place, characters});
    }
  };
  PlainWordSplitter splitter(lowercase_, take);
  splitter.split(text);
  return ngrams;
}

void NgramReader::read(std::string_view text, std::vector<std::uint64_t>& hashes) const {
  PlainWordSplitter splitter(lowercase_, WordTaker(config_, hashes));
  splitter.split(text);
}

}  // namespace diffuse
