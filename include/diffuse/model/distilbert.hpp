#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "diffuse/model/torchscript_classifier.hpp"

namespace diffuse {

/// The sizes of a DistilBERT classifier (Sanh, Debut, Chaumond & Wolf 2019, arXiv:1910.01108). The
/// defaults are those of `distilbert-base-uncased` and of Hugging Face transformers.
struct DistilBertShape {
  std::int64_t vocab_size = 30522;
  std::int64_t dim = 768;
  std::int64_t layers = 6;
  std::int64_t heads = 12;
  std::int64_t hidden_dim = 3072;    ///< inside the feed-forward networks
  std::int64_t max_positions = 512;  ///< longest text in tokens, [CLS] and [SEP] included
  std::int64_t class_count = 0;
  double dropout = 0.1;  ///< probabilities
  double attention_dropout = 0.1;
  double classifier_dropout = 0.2;
  double initializer_range = 0.02;  ///< standard deviation
  std::int64_t pad_id = 0;
};

/// Elements of all parameters of make_distilbert(shape), counted without allocating; those before
/// the head (`pre_classifier` and `classifier`) alone where `with_head` is false: 66,362,880 at the
/// defaults.
std::int64_t count_distilbert_parameters(const DistilBertShape& shape, bool with_head = true);

/// A DistilBERT classifier with learned positions, compiled from TorchScript source by the program
/// itself: what transformers' DistilBertForSequenceClassification computes, its parameters under
/// the same names, initialised as there (linear and embedding weights from N(0,
/// initializer_range²), biases and the padding token's row 0, layer norms 1 and 0). float32 on the
/// CPU; `seed` decides every initial value. Throws Error where the shape is impossible.
std::unique_ptr<TorchScriptClassifier> make_distilbert(const DistilBertShape& shape,
                                                       std::int64_t seed);

/// The shape that `config.json` of a Hugging Face folder gives, with class_count 0 for the caller
/// to set; keys left out have transformers' defaults. Throws CheckpointError where the file is
/// missing or no JSON, where the model is not a DistilBERT with gelu, a value is out of range, or
/// it asks for far more parameters than `model.safetensors` in the folder can hold.
DistilBertShape read_distilbert_config(const std::filesystem::path& folder);

/// What load_pretrained did. Names as they stand in the model or the file.
struct PretrainedReport {
  std::vector<std::string> missing;     ///< of the head, not in the file: left as they were
  std::vector<std::string> unexpected;  ///< in the file, not in the model: not used
  std::int64_t loaded = 0;              ///< tensors copied
};

/// Copies the tensors of `model.safetensors` of a Hugging Face folder into the classifier's
/// parameters by name, with or without the prefix `distilbert.`. Only the head may be missing.
/// Throws CheckpointError listing every other missing tensor and every one of another shape or
/// element type; then nothing has been copied.
PretrainedReport load_pretrained(TorchScriptClassifier& classifier,
                                 const std::filesystem::path& folder);

}  // namespace diffuse
