#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "diffuse/base/hash.hpp"
#include "diffuse/text/ngrams.hpp"
#include "plain_words.hpp"

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

/// How a text's words become hashes; the last words are remembered for what follows them.
class WordTaker {
 public:
  WordTaker(const NgramConfig& config, std::vector<std::uint64_t>& hashes)
      : config_(config), hashes_(hashes) {}

  void operator()(std::string_view word) {
    if (config_.max > 0) add_word(hash64(word));
    if (config_.char_max > 0) add_characters(word);
  }

 private:
  static constexpr std::size_t kMost = 8;

  void add_word(std::uint64_t word) {
    // [k]: of the k + 1 words that end here.
    for (auto k = static_cast<std::size_t>(config_.max); k-- > 1;)
      ending_[k] = ending_[k - 1] == 0 ? 0 : follow(ending_[k - 1], word);
    ending_[0] = follow(kOfWords, word);
    for (std::size_t k = 0; k < static_cast<std::size_t>(config_.max) && ending_[k] != 0; ++k)
      hashes_.push_back(ending_[k]);
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
    begins.resize(std::min(begins.size(), static_cast<std::size_t>(config_.max)));
    // First come those of 1, 2, … words that end here, then those of characters.
    for (std::size_t i = 0; i < hashes.size(); ++i) {
      const bool characters = i >= begins.size();
      ngrams.push_back({hashes[i], characters ? own : TextSpan{begins[i], own.end}, characters});
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
