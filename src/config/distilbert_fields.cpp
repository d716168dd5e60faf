#include "field.hpp"

namespace diffuse {

std::vector<Field> distilbert_fields() {
  FieldTable<DistilBertConfig> table("distilbert", &Config::distilbert);
  table
      .add("pretrained", &DistilBertConfig::pretrained,
           "Folder of a Hugging Face model to begin with: config.json, model.safetensors. Its "
           "sizes replace those below. Empty: random weights.")
      .is_path();
  table.add("dim", &DistilBertConfig::dim, "Width of a token's state.")
      .between(1, 8192)
      .in("channels");
  table.add("layers", &DistilBertConfig::layers, "Transformer layers.")
      .between(1, 96)
      .in("layers")
      .also_called({"n_layers", "num_hidden_layers"});
  table
      .add("heads", &DistilBertConfig::heads,
           "Attention heads. distilbert.dim must be a multiple of it.")
      .between(1, 256)
      .in("heads")
      .also_called({"n_heads", "num_attention_heads"});
  table
      .add("hidden_dim", &DistilBertConfig::hidden_dim,
           "Width of the hidden layer behind the attention.")
      .between(1, 65536)
      .in("channels")
      .also_called({"intermediate_size"});
  table
      .add("max_positions", &DistilBertConfig::max_positions,
           "Positions that have an embedding; no text may be longer.")
      .between(2, 1048576)
      .in("tokens")
      .also_called({"max_position_embeddings"});
  table
      .add("init_std", &DistilBertConfig::init_std,
           "Standard deviation of the matrices and embeddings at the start.")
      .between(0, 100)
      .also_called({"initializer_range"});
  table.add("dropout", &DistilBertConfig::dropout, "Part of the states that training sets to 0.")
      .at_least(0)
      .below(1);
  table
      .add("attention_dropout", &DistilBertConfig::attention_dropout,
           "Part of the attention weights that training sets to 0.")
      .at_least(0)
      .below(1);
  table
      .add("classifier_dropout", &DistilBertConfig::classifier_dropout,
           "Part of the values before the last layer that training sets to 0.")
      .at_least(0)
      .below(1)
      .also_called({"seq_classif_dropout"});
  return table.take();
}

}  // namespace diffuse
