#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/ops/counter_random.hpp"

namespace diffuse {

/// A batch with some of its words hidden, and the words that each hidden one is told from.
struct MaskedWords {
  std::vector<std::int32_t> tokens{};      ///< [N] as the model sees them
  std::vector<std::int32_t> places{};      ///< [M] rows of the batch that are hidden, ascending
  std::vector<std::int32_t> starts{};      ///< [B + 1] of each text's, among `places`
  std::vector<std::int32_t> candidates{};  ///< [C] distinct words
  std::vector<std::int64_t> labels{};      ///< [M] the hidden word, by its number there
  /// [C] log p - log q: p is the word's share of all hidden words, q the probability that it is
  /// among the candidates of such a batch. With it the softmax over the candidates estimates that
  /// over all words (Jean, Cho, Memisevic, Bengio: On using very large target vocabulary for neural
  /// machine translation, ACL 2015), and the model need not learn which words are frequent.
  std::vector<float> bias{};
};

/// Hides words of batches: a word that makes up the share s of all words with probability
/// `pretrain.masked` · min(1, √(t / s)), because nearly every text has the common ones, and they
/// say little (after Mikolov et al.: Distributed representations of words and phrases, NeurIPS
/// 2013, where they are left out). t is such that half as many words are hidden as with all alike.
/// Of those hidden 8 in 10 become the mask token, 1 in 10 a random word, 1 in 10 stays (Devlin et
/// al.: BERT, NAACL 2019). With `pretrain.span` above 1 so many in a row share that fate (after
/// Joshi et al.: SpanBERT, TACL 2020, whose spans are whole words of varied length), common ones as
/// often as others, until the part `pretrain.masked` of all is hidden; the end of a text ends a
/// span.
/// The candidates are all words hidden in the batch and `pretrain.negatives` drawn by how often
/// they are hidden, to the power of 3/4; where there are no more words than these, all of them.
class WordMasker {
 public:
  /// `counts` `[V]`: how often each word is in the texts; a word of 0 is never hidden. Throws
  /// DataError if all are. A `pretrain.span` of 0 is 1.
  WordMasker(std::span<const std::int64_t> counts, std::int32_t mask_id,
             const PretrainConfig& config);

  /// Fills `to` for the texts `offsets` `[B + 1]` among `tokens` `[N]`: by `place` alone, whatever
  /// was hidden before. May hide nothing in a small batch.
  void hide(std::span<const std::int32_t> tokens, std::span<const std::int32_t> offsets,
            const RandomPlace& place, MaskedWords& to);

 private:
  void add_candidate(std::int32_t word, MaskedWords& to);
  void add_biases(MaskedWords& to) const;
  std::int32_t draw(std::uint64_t random) const;

  std::int32_t mask_id_;
  std::int64_t span_;
  std::int64_t negatives_;
  bool all_ = false;                  // words are candidates
  std::vector<double> rates_;         // [V] probability that a span begins there
  std::vector<double> shares_;        // [V] of all hidden words
  std::vector<double> cumulative_;    // [V] of the powers of shares
  std::vector<std::int32_t> number_;  // [V] among the candidates, or -1
};

}  // namespace diffuse
