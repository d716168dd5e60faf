#include "field.hpp"

namespace diffuse {

std::vector<Field> ngram_fields() {
  FieldTable<NgramConfig> table("ngrams", &Config::ngrams);
  table
      .add("max", &NgramConfig::max,
           "Longest sequence of words that the linear model has a weight for. 0: none.")
      .between(0, 3)
      .in("words")
      .also_called({"word_ngrams", "wordNgrams", "ngram_range"});
  table
      .add("char_min", &NgramConfig::char_min,
           "Shortest sequence of characters inside of a word that it has a weight for. Not used "
           "when ngrams.char_max is 0.")
      .between(1, 8)
      .in("characters")
      .also_called({"minn"});
  table
      .add("char_max", &NgramConfig::char_max,
           "Longest such sequence; a word's end counts as a character. 0: none.")
      .between(0, 8)
      .in("characters")
      .also_called({"maxn"});
  table
      .add(
          "min_count", &NgramConfig::min_count,
          "How many training texts an n-gram must be in to get a weight. 0: by the number of rows: "
          "2 from 10,000 rows on, else 1.")
      .between(0, 1000000000)
      .in("texts")
      .also_called({"min_df"});
  table
      .add(
          "max_features", &NgramConfig::max_features,
          "Most weights for each class. Of more n-grams the rarest share a quarter of the weights, "
          "by their hash.")
      .between(1, 1000000000)
      .in("n-grams");
  table
      .add(
          "counted", &NgramConfig::counted,
          "How many different n-grams are counted at once. Where the training texts have more, the "
          "rarest are forgotten and counted anew when they come again (docs/data.md, \"Large "
          "data\").")
      .between(1000, 1000000000)
      .in("n-grams");
  table
      .add("max_rows", &NgramConfig::max_rows,
           "Most rows that the linear model is trained on, drawn evenly from the training rows "
           "(docs/ngrams.md). 0: all.")
      .at_least(0)
      .in("rows");
  table.add("weighting", &NgramConfig::weighting,
            "What an n-gram counts in a text. tfidf: (1 + ln occurrences) x (1 + ln (texts / texts "
            "with it)). naive_bayes: how much more often it is in the texts of one class than in "
            "the others. binary: 1. The text's values are then scaled to unit length.");
  table
      .add("cost", &NgramConfig::cost,
           "What an error costs beside the size of the weights: C of a linear SVM. Less is more "
           "regularisation.")
      .above(0)
      .also_called({"C", "c", "l2"});
  table
      .add(
          "factor", &NgramConfig::factor,
          "Factor of the linear model's logits beside the network's. 0: chosen, as that is, on the "
          "validation rows, or by a rehearsal without any (docs/ngrams.md).")
      .between(0, 1000);
  return table.take();
}

}  // namespace diffuse
