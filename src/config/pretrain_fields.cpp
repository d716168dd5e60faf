#include "field.hpp"

namespace diffuse {

std::vector<Field> pretrain_fields() {
  FieldTable<PretrainConfig> table("pretrain", &Config::pretrain);
  table
      .add("texts", &PretrainConfig::texts,
           "Files of further texts without labels, one a line. The texts of data.train are used "
           "always, those of validation and test never.")
      .is_path()
      .also_called({"text", "unlabelled", "unlabeled", "corpus"});
  table
      .add("masked", &PretrainConfig::masked,
           "Part of the words of a text that have to be found from those around them. Of them 8 in "
           "10 are hidden, 1 in 10 is another word, 1 in 10 is left as it is.")
      .above(0)
      .below(1)
      .also_called({"mask_probability", "mlm_probability"});
  table
      .add(
          "span", &PretrainConfig::span,
          "Tokens in a row that have to be found together; pretrain.masked is their part of all in "
          "any case. A byte can be told from those beside it. 0: 5 of bytes, else 1.")
      .between(0, 1024)
      .in("tokens")
      .also_called({"mask_span"});
  table
      .add("negatives", &PretrainConfig::negatives,
           "Words that a hidden one is told from. Drawn anew for each batch, frequent ones more "
           "often. As many as the texts have or more: all of them.")
      .between(1, 1000000)
      .in("words")
      .also_called({"negative_samples"});
  table.add("batch_size", &PretrainConfig::batch_size, "Texts in a batch.")
      .between(1, 1048576)
      .in("texts");
  table
      .add("learning_rate", &PretrainConfig::learning_rate,
           "Learning rate of AdamW, at its highest. It rises for 500 updates (at most a tenth of "
           "all) and falls to 0 along a cosine.")
      .above(0)
      .between(0, 10);
  return table.take();
}

}  // namespace diffuse
