#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "diffuse/base/worker_pool.hpp"
#include "diffuse/config/config.hpp"
#include "diffuse/text/forgotten.hpp"
#include "diffuse/text/number_map.hpp"
#include "diffuse/text/text_span.hpp"

namespace diffuse {

/// An n-gram of a text and how often it is there, or, once that is weighed, what it counts.
struct NgramValue {
  std::int32_t id = 0;
  float value = 0;

  bool operator==(const NgramValue&) const = default;
};

/// Sorts n-grams by number, and adds up what shares one. Returns how many there are then, at the
/// front.
std::size_t sort_ngrams(std::span<NgramValue> values);
/// The same with those from `begin` on, behind which nothing is left.
void sort_ngrams(std::vector<NgramValue>& values, std::size_t begin);

/// The n-grams of several texts: text i has values[offsets[i]] .. values[offsets[i + 1] - 1].
struct NgramTexts {
  std::vector<NgramValue> values;
  std::vector<std::int64_t> offsets;  ///< one more than texts
};

/// An n-gram and where in its text it stands.
struct PlacedNgram {
  std::uint64_t hash = 0;
  TextSpan place{};         ///< of one of characters inside of a word: the word
  bool characters = false;  ///< not of words
  std::int32_t id = -1;     ///< its number in a vocabulary
};

/// Texts to hashes of their n-grams. Of words: `config.max` = n gives all sequences of 1 … n of the
/// tokens that tokenizer.type = words reads, punctuation marks included. Of characters: all
/// sequences of `char_min` … `char_max` code points inside of a word that stands between blanks,
/// so that " w" and "d " say where it begins and ends. In scripts without blanks, of which each
/// character is a word: the sequences of more of them than `max`, up to `char_max`, that no other
/// word parts.
///
/// 64 bits stand for an n-gram: among 10 million, two share one with a probability of 3e-6.
class NgramReader {
 public:
  NgramReader(const NgramConfig& config, bool lowercase) : config_(config), lowercase_(lowercase) {}

  /// Appends the hash of each n-gram as it comes, repeated ones too.
  void read(std::string_view text, std::vector<std::uint64_t>& hashes) const;

  /// The same n-grams in the same order, with their places.
  std::vector<PlacedNgram> read_placed(std::string_view text) const;

 private:
  NgramConfig config_;
  bool lowercase_;
};

/// Which n-gram has which number. The most frequent ones have numbers of their own, 0, 1, 2, …;
/// where there were more than `ngrams.max_features`, all others share `buckets` numbers behind
/// them by their hash. Immutable, so one object serves all threads.
class NgramVocabulary {
 public:
  /// `hashes`: of the n-grams with a number of their own, in its order. Throws DataError for a hash
  /// that is there twice.
  NgramVocabulary(const NgramConfig& config, bool lowercase, std::vector<std::uint64_t> hashes,
                  std::int64_t buckets);
  ~NgramVocabulary();
  NgramVocabulary(NgramVocabulary&&) noexcept;
  NgramVocabulary& operator=(NgramVocabulary&&) noexcept;

  /// All numbers, buckets included.
  std::int64_t size() const;
  std::int64_t buckets() const;
  std::span<const std::uint64_t> hashes() const;

  /// The number of the n-gram with `hash`; -1 where it has none.
  std::int32_t find(std::uint64_t hash) const;

  /// The n-grams of `text` that have a number, as they come.
  std::vector<PlacedNgram> placed(std::string_view text) const;

  /// The n-grams of `texts` that have a number, those of a text ascending, on the threads of
  /// `pool`, while one of them calls `meanwhile`, if there is one. The result does not depend on
  /// the threads.
  void encode(std::span<const std::string_view> texts, WorkerPool& pool, NgramTexts& encoded,
              const std::function<void()>& meanwhile = {}) const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> self_;
};

/// Makes the vocabulary from training texts and encodes them in the same pass, to provisional
/// numbers. Counts some 35 bytes for each of `ngrams.counted` n-grams, and those of a call of
/// `encode` besides.
class NgramVocabularyBuilder {
 public:
  NgramVocabularyBuilder(const NgramConfig& config, bool lowercase);
  ~NgramVocabularyBuilder();
  NgramVocabularyBuilder(NgramVocabularyBuilder&&) noexcept;
  NgramVocabularyBuilder& operator=(NgramVocabularyBuilder&&) noexcept;

  /// As NgramVocabulary::encode, but every n-gram gets a provisional number, in no order. Throws
  /// DataError where there are 2^31 of them.
  void encode(std::span<const std::string_view> texts, WorkerPool& pool, NgramTexts& encoded,
              const std::function<void()>& meanwhile = {});

  struct Vocabulary {
    NgramVocabulary vocabulary;
    NumberMap final_ids;    ///< of each provisional number
    Forgotten forgotten{};  ///< texts
  };
  /// Those of at least `ngrams.min_count` texts (0: 2 from 10,000 texts on, else 1), by the number
  /// of texts, the most frequent first, ties by hash: independent of the thread count and of the
  /// order of texts. Gives what was counted back: to be called once.
  ///
  /// Of more than `ngrams.counted` different n-grams the rarer half is forgotten, at the end of a
  /// call of `encode`: then counts may be too low, by at most `forgotten.error` texts, and as many
  /// texts lack an n-gram that comes again. Those beyond `ngrams.max_features` have no number then,
  /// for what was forgotten would have none to share with them. Which are forgotten depends on the
  /// order of the texts, and still not on the threads.
  Vocabulary build();

 private:
  struct Implementation;
  std::unique_ptr<Implementation> self_;
};

}  // namespace diffuse
