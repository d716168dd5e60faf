#include "field.hpp"

namespace diffuse {

std::vector<Field> model_fields() {
  FieldTable<ModelConfig> table("model", &Config::model);
  table.add("type", &ModelConfig::type,
            "Kind of classifier. diffusion: attention-free diffusion. " +
                type_names(types_of({ModelFamily::bert}), "and") +
                ": the transformers of the sections of that name. " +
                type_names(types_of({ModelFamily::mixer})) +
                ": the section mixer's, between the diffusion model's own embedding, pooling and "
                "head. torchscript: any module from model.file.");
  table
      .add("file", &ModelConfig::file,
           "TorchScript file of model.type = torchscript. Its forward takes input_ids and "
           "attention_mask, int64 [B, L], and gives logits [B, C].")
      .is_path()
      .only_for({ModelType::torchscript});
  table.add("dim", &ModelConfig::dim, "Width of a token's state. 0: no network, the n-grams alone.")
      .between(0, 8192)
      .in("channels")
      .also_called({"width", "hidden_size", "d_model", "embedding_dim"});
  table.add("steps", &ModelConfig::steps, "Diffusion steps, T. 0: a bag of words.")
      .between(0, 64)
      .in("steps")
      .also_called({"layers", "num_layers", "depth"});
  table
      .add("alpha", &ModelConfig::alpha,
           "Share of the base state kept at each step. The neighbours get the other 1 - alpha.")
      .between(0, 1);
  table.add("alpha_learned", &ModelConfig::alpha_learned,
            "Whether alpha is learned, one value per channel. model.alpha is where it starts.");
  table
      .add("noise_std", &ModelConfig::noise_std,
           "Standard deviation of the noise added to the embedding, sigma. 0: none.")
      .between(0, 100)
      .also_called({"sigma", "noise"});
  table.add("noise_at_evaluation", &ModelConfig::noise_at_evaluation,
            "Whether the noise is also added when the model evaluates and predicts.");
  table
      .add("radius", &ModelConfig::radius,
           "Neighbours read on each side. With dilation d they lie d, 2d, ... radius x d tokens "
           "away.")
      .between(0, 64)
      .in("neighbours")
      .also_called({"kernel_size", "window"});
  table
      .add(
          "dilation", &ModelConfig::dilation,
          "Distance between neighbours. An entry for each step: [1, 2, 4] lets the reach grow with "
          "the step. Fewer entries than steps begin again when they end.")
      .between(1, 1048576)
      .in("tokens")
      .not_empty();
  table.add("self_neighbour", &ModelConfig::self_neighbour,
            "Whether a token is among its own neighbours (offset 0).");
  table.add("causal", &ModelConfig::causal,
            "Whether a token reads neighbours before it alone, not those behind it.");
  table.add("weight", &ModelConfig::weight,
            "Form of W, the weight of a neighbour, one per offset. scalar: a number. channel: a "
            "number per channel. full: a matrix.");
  table
      .add("weight_init", &ModelConfig::weight_init,
           "Mean of W at the start (of its diagonal if W is full). 0: 1 / number of neighbours.")
      .between(-100, 100);
  table
      .add("weight_init_std", &ModelConfig::weight_init_std,
           "Standard deviation of W around its mean at the start. Not used when "
           "model.weight_learned is false; a full W has it divided by the root of model.dim.")
      .between(0, 100);
  table.add("weight_learned", &ModelConfig::weight_learned,
            "Whether W is trained. false: it stays as initialised.");
  table.add("function", &ModelConfig::function,
            "The function f of a neighbour's state. linear: one linear map, then the activation. "
            "mlp: linear, activation, linear, through model.hidden_dim. glu: the product of an "
            "activated and a plain linear map to model.hidden_dim, then linear.");
  table.add("activation", &ModelConfig::activation,
            "The activation inside f. identity leaves a linear f linear. The head's is always "
            "GELU.");
  table
      .add("hidden_dim", &ModelConfig::hidden_dim,
           "Width of the hidden layer of f. 0: 2 x model.dim. Not used when model.function is "
           "linear.")
      .between(0, 65536)
      .in("channels");
  table.add(
      "share_weights", &ModelConfig::share_weights,
      "Whether steps of the same entry of model.dilation use one set of weights; where it has "
      "one entry, all steps. false: each step has its own.");
  table.add("norm", &ModelConfig::norm,
            "Place of the layer normalisation. none, pre: before f, post: after the step.");
  table.add("base", &ModelConfig::base,
            "The base state that alpha keeps. state: the token's state of the step before. "
            "initial: its embedding, at every step.");
  table.add("pooling", &ModelConfig::pooling,
            "How the states of a text become one vector. mean_max: both, one behind the other.");
  table
      .add("head_hidden_dim", &ModelConfig::head_hidden_dim,
           "Width of the hidden layer of the head. -1: model.dim. 0: no hidden layer, the head is "
           "linear.")
      .between(-1, 65536)
      .in("channels");
  table
      .add("embedding_init_std", &ModelConfig::embedding_init_std,
           "Standard deviation of the embedding at the start.")
      .between(0, 100);
  table
      .add("bigram_buckets", &ModelConfig::bigram_buckets,
           "Rows of a second embedding, of pairs of neighbouring tokens: a token's state starts as "
           "the sum of its own row and that of the pair which it ends, found by a hash. They start "
           "at 0. 0: none.")
      .between(0, 1 << 28)
      .in("rows")
      .only_for(with_own_embedding());
  table
      .add("bigram_dropout", &ModelConfig::bigram_dropout,
           "Part of the pairs whose row training leaves out. Not used when model.bigram_buckets is "
           "0.")
      .at_least(0)
      .below(1);
  table
      .add("embedding_file", &ModelConfig::embedding_file,
           "Vectors of words that the embedding starts with. Text (.vec or .txt, plain or gzip): a "
           "word and its numbers on each line, with or without fastText's first line. Or "
           ".safetensors with a tensor [words, model.dim] and a vocab.txt beside it. Read once, at "
           "the start of a training. Empty: none.")
      .is_path()
      .also_called({"pretrained_embeddings", "word_vectors", "glove"})
      .only_for({ModelType::diffusion});
  table
      .add(
          "embedding_file_std", &ModelConfig::embedding_file_std,
          "Standard deviation to which the vectors of model.embedding_file, and the random ones of "
          "words that it lacks, are scaled. 0: the file's own.")
      .between(0, 100);
  table
      .add("embedding_words", &ModelConfig::embedding_words,
           "How many words from the beginning of model.embedding_file the vocabulary has in any "
           "case, whether the training text holds them or not. Such files begin with the most "
           "frequent ones. For tokenizer.type = words. 0: the training text's alone.")
      .between(0, 10000000)
      .in("words");
  table
      .add("token_dropout", &ModelConfig::token_dropout,
           "Part of the tokens that training replaces by the mask token.")
      .at_least(0)
      .below(1);
  table
      .add("token_dropout_span", &ModelConfig::token_dropout_span,
           "Tokens in a row that training replaces at a time; model.token_dropout is their part of "
           "all in any case. Of bytes one can be told from those beside it, five in a row cannot. "
           "Not used when model.token_dropout is 0.")
      .between(1, 1024)
      .in("tokens");
  table
      .add("embedding_dropout", &ModelConfig::embedding_dropout,
           "Part of the embedding's values that training sets to 0.")
      .at_least(0)
      .below(1);
  table
      .add("head_dropout", &ModelConfig::head_dropout,
           "Part of the values in the head that training sets to 0.")
      .at_least(0)
      .below(1)
      .also_called({"dropout"});
  return table.take();
}

}  // namespace diffuse
