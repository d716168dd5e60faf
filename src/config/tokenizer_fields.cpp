#include "field.hpp"

namespace diffuse {

std::vector<Field> tokenizer_fields() {
  FieldTable<TokenizerConfig> table("tokenizer", &Config::tokenizer);
  table.add("type", &TokenizerConfig::type,
            "Kind of token. words: words and punctuation, the vocabulary counted in the training "
            "text. wordpiece: BERT's pieces of words, by tokenizer.vocab. bytes: the bytes of the "
            "text. values: its bytes as numbers, each a share of one learned vector (pixels).");
  table
      .add("vocab", &TokenizerConfig::vocab,
           "Vocabulary file of the wordpiece tokenizer. BERT's vocab.txt, one token a line. The "
           "other types need none.")
      .is_path()
      .also_called({"vocab_file", "vocabulary"});
  table
      .add("lowercase", &TokenizerConfig::lowercase,
           "Whether letters become lower-case first. wordpiece strips accents as well then, as "
           "BERT's uncased form does. Not used by bytes.")
      .also_called({"uncased", "do_lower_case"});
  table
      .add("min_count", &TokenizerConfig::min_count,
           "How often a word must occur in the training text to be in the vocabulary. Rarer ones "
           "become the unknown token. 0: by the number of rows (docs/data.md, \"Small data\"). "
           "Only for "
           "words.")
      .between(0, 1000000000)
      .in("occurrences");
  table
      .add("max_tokens", &TokenizerConfig::max_tokens,
           "Most tokens that are read at once; what becomes of a longer text says "
           "tokenizer.long_texts. 0: no limit.")
      .between(0, 1000000000)
      .in("tokens")
      .also_called({"max_length", "max_len", "max_seq_length"});
  table
      .add("long_texts", &TokenizerConfig::long_texts,
           "What becomes of a text of more than tokenizer.max_tokens. cut: its end is cut off. "
           "pool: "
           "it is read in equally long pieces; each is trained on with its share of the text's "
           "weight, and the text's answer is the mean of their logits.")
      .also_called({"truncation"});
  table
      .add("special_tokens", &TokenizerConfig::special_tokens,
           "Whether a text stands between [CLS] and [SEP], which count in tokenizer.max_tokens. "
           "BERT's models are made for that. Only for wordpiece.")
      .also_called({"add_special_tokens"});
  table
      .add("max_words", &TokenizerConfig::max_words,
           "Most words in the vocabulary: the most frequent ones, of equals the first by their "
           "bytes. Rarer ones become the unknown token. 0: all that tokenizer.min_count allows. "
           "Only for words.")
      .between(0, 1000000000)
      .in("words")
      .also_called({"max_vocab", "max_vocab_size", "vocab_size", "max_features"});
  table
      .add("counted_words", &TokenizerConfig::counted_words,
           "How many different words are counted at once. Where a text has more, the rarest are "
           "forgotten and counted anew when they come again (docs/data.md, \"Large data\"). Only "
           "for words.")
      .between(1000, 1000000000)
      .in("words");
  return table.take();
}

}  // namespace diffuse
