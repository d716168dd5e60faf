#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "diffuse/base/worker_pool.hpp"
#include "diffuse/config/config.hpp"
#include "diffuse/text/forgotten.hpp"
#include "diffuse/text/text_span.hpp"

namespace diffuse {

/// A token and where in its text it stands.
struct PlacedToken {
  std::int32_t id = 0;
  TextSpan place{};        ///< empty where the tokenizer added it ([CLS])
  std::int32_t word = -1;  ///< pieces of a word share a number, from 0 on; -1: it was added

  bool operator==(const PlacedToken&) const = default;
};

/// Text to token ids. Immutable after construction, so one object serves all threads.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// Appends the ids of `text` to `ids`, between [CLS] and [SEP] with `tokenizer.special_tokens`,
  /// at most `max_tokens` of them, those two included (0: no limit). Returns how many ids the whole
  /// text has, so what a limit left out can be told. Invalid UTF-8 is read as U+FFFD (the `bytes`
  /// tokenizer takes bytes as they are). Never throws for any input.
  virtual std::int64_t encode(std::string_view text, std::int64_t max_tokens,
                              std::vector<std::int32_t>& ids) const = 0;

  /// The ids that `encode` gives, with their places.
  virtual std::vector<PlacedToken> encode_placed(std::string_view text,
                                                 std::int64_t max_tokens) const = 0;

  /// Number of ids, specials included.
  virtual std::int64_t vocab_size() const = 0;
  /// Id that `model.token_dropout` puts in a token's place.
  virtual std::int32_t mask_id() const = 0;
  /// Id of what the vocabulary does not hold; also the one token of a text that gives none.
  virtual std::int32_t unknown_id() const = 0;
  /// Id that fills up shorter texts where a model takes padded batches.
  virtual std::int32_t pad_id() const { return 0; }

  /// The vocabulary, one token a line, line number = id: the content of a checkpoint's `vocab.txt`.
  virtual std::string vocab_text() const = 0;
};

/// Tokenizer of `config` whose vocabulary is the file `vocab_path` (WordPiece's `vocab.txt`, or
/// what `vocab_text` gave before; `bytes` does not read it). Throws DataError (file:line) if the
/// file is missing or not a vocabulary.
std::unique_ptr<Tokenizer> load_tokenizer(const TokenizerConfig& config,
                                          const std::filesystem::path& vocab_path);

/// `config.min_count`, or where that is 0 what it stands for with `rows` training texts
/// (docs/data.md, "Small data").
std::int64_t resolve_min_count(const TokenizerConfig& config, std::int64_t rows);

/// The ids of several texts: text i has ids[offsets[i]] .. ids[offsets[i + 1] - 1].
struct EncodedTexts {
  std::vector<std::int32_t> ids;
  std::vector<std::int64_t> offsets;  ///< one more than texts
  std::vector<std::int64_t> lengths;  ///< ids that each text has without `max_tokens`

  /// Forgets all and makes room for `texts`.
  void start(std::size_t texts);
};

/// Makes the `words` tokenizer from training texts and encodes them in the same pass: each word
/// gets a provisional id when it is first seen, and `build` says what becomes of it.
class VocabularyBuilder {
 public:
  explicit VocabularyBuilder(const TokenizerConfig& config);
  ~VocabularyBuilder();
  VocabularyBuilder(VocabularyBuilder&&) noexcept;
  VocabularyBuilder& operator=(VocabularyBuilder&&) noexcept;

  /// Keeps each of `words` that the tokenizer takes for one word, however rare it is. To be called
  /// before `encode`.
  void keep(std::span<const std::string> words);

  /// What a text without a word has in place of one, provisionally and for good.
  static std::int32_t unknown_id();

  /// Counts all words of `texts` and encodes the first `max_tokens` (0: all) of each to provisional
  /// ids, as `encode_batch` does.
  void encode(std::span<const std::string_view> texts, std::int64_t max_tokens, WorkerPool& pool,
              EncodedTexts& encoded, const std::function<void()>& meanwhile = {});

  struct Vocabulary {
    std::unique_ptr<Tokenizer> tokenizer;
    std::vector<std::int32_t> final_ids;  ///< of each provisional one
    Forgotten forgotten{};                ///< occurrences
  };
  /// Words seen at least `min_count` times and those to keep, most frequent first, ties in byte
  /// order, at most `max_words` beside those to keep: independent of the thread count and of the
  /// order of the texts. Throws DataError if there are none.
  ///
  /// Of more than `counted_words` different words the rarer half is forgotten, at the end of a call
  /// of `encode`: then counts may be too low, by at most `forgotten.error`, and as many occurrences
  /// of a word that comes again have the unknown token in its place. A word of that many
  /// occurrences more than the vocabulary asks for is in it in any case, and none that has fewer
  /// than it asks for is; which, depends on the order of the texts, and still not on the threads.
  Vocabulary build() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Encodes many texts on the threads of `pool`, while one of them calls `meanwhile`, if there is
/// one: that reads the next texts, for example. The result does not depend on the threads.
void encode_batch(const Tokenizer& tokenizer, std::span<const std::string_view> texts,
                  std::int64_t max_tokens, WorkerPool& pool, EncodedTexts& encoded,
                  const std::function<void()>& meanwhile = {});

}  // namespace diffuse
