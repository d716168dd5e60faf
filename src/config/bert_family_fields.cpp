#include "field.hpp"

namespace diffuse {
namespace {

std::vector<Field> bert_family_fields(const std::string& section, BertFamilyConfig Config::*member,
                                      ModelType type) {
  FieldTable<BertFamilyConfig> table(section, member, {type});
  table
      .add("pretrained", &BertFamilyConfig::pretrained,
           "Folder of a Hugging Face model to begin with: config.json, model.safetensors. Its "
           "sizes replace those below. Empty: random weights.")
      .is_path();
  table.add("dim", &BertFamilyConfig::dim, "Width of a token's state.")
      .between(1, 8192)
      .in("channels");
  table.add("layers", &BertFamilyConfig::layers, "Transformer layers.")
      .between(1, 96)
      .in("layers")
      .also_called({"n_layers", "num_hidden_layers"});
  table
      .add("heads", &BertFamilyConfig::heads,
           "Attention heads. " + section + ".dim must be a multiple of it.")
      .between(1, 256)
      .in("heads")
      .also_called({"n_heads", "num_attention_heads"});
  table
      .add("hidden_dim", &BertFamilyConfig::hidden_dim,
           "Width of the hidden layer behind the attention.")
      .between(1, 65536)
      .in("channels")
      .also_called({"intermediate_size"});
  table
      .add("max_positions", &BertFamilyConfig::max_positions,
           "Positions that have an embedding; no text may be longer.")
      .between(2, 1048576)
      .in("tokens")
      .also_called({"max_position_embeddings"});
  table
      .add("init_std", &BertFamilyConfig::init_std,
           "Standard deviation of the matrices and embeddings at the start.")
      .between(0, 100)
      .also_called({"initializer_range"});
  table.add("dropout", &BertFamilyConfig::dropout, "Part of the states that training sets to 0.")
      .at_least(0)
      .below(1)
      .also_called({"hidden_dropout_prob"});
  table
      .add("attention_dropout", &BertFamilyConfig::attention_dropout,
           "Part of the attention weights that training sets to 0.")
      .at_least(0)
      .below(1)
      .also_called({"attention_probs_dropout_prob"});
  table
      .add("classifier_dropout", &BertFamilyConfig::classifier_dropout,
           "Part of the values before the last layer that training sets to 0.")
      .at_least(0)
      .below(1)
      .also_called({"seq_classif_dropout"});
  if (type != ModelType::bert) return table.take();
  table
      .add("token_types", &BertFamilyConfig::token_types,
           "Rows of the embedding of token types, of which a text alone has the first.")
      .between(1, 1024)
      .in("rows")
      .also_called({"type_vocab_size"});
  table.add("mean_pooling", &BertFamilyConfig::mean_pooling,
            "Whether the classifier reads the mean of a text's tokens, as models for sentence "
            "similarity are trained, in place of the pooler's reading of the first token.");
  table
      .add("norm_eps", &BertFamilyConfig::norm_eps,
           "What the layer norms add to the variance before they take its root.")
      .above(0)
      .between(0, 1)
      .also_called({"layer_norm_eps"});
  return table.take();
}

}  // namespace

std::vector<Field> distilbert_fields() {
  return bert_family_fields("distilbert", &Config::distilbert, ModelType::distilbert);
}

std::vector<Field> bert_fields() {
  return bert_family_fields("bert", &Config::bert, ModelType::bert);
}

}  // namespace diffuse
