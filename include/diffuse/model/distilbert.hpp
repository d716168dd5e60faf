#pragma once

#include <cstdint>
#include <memory>

#include "diffuse/model/fresh_tensors.hpp"
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

/// A DistilBERT classifier with learned positions, compiled from TorchScript source by the program
/// itself: what transformers' DistilBertForSequenceClassification computes, its parameters under
/// the same names, initialised as there (linear and embedding weights from N(0,
/// initializer_range²), biases and the padding token's row 0, layer norms 1 and 0). Throws Error
/// where the shape is impossible.
std::unique_ptr<TorchScriptClassifier> make_distilbert(const DistilBertShape& shape,
                                                       FreshTensors& tensors);
/// On the CPU; `seed` decides every initial value.
std::unique_ptr<TorchScriptClassifier> make_distilbert(const DistilBertShape& shape,
                                                       std::int64_t seed);

}  // namespace diffuse
