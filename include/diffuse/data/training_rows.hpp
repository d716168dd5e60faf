#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "diffuse/config/config.hpp"
#include "diffuse/data/dataset.hpp"
#include "diffuse/data/layout.hpp"
#include "diffuse/text/labels.hpp"
#include "diffuse/text/ngrams.hpp"
#include "diffuse/text/tokenizer.hpp"

namespace diffuse {

/// What a trained model reads texts by, and what it keeps of those that it was trained on.
struct ModelReading {
  const TokenizerConfig& tokenizer_config;
  const Tokenizer& tokenizer;
  const Labels& labels;
  const NgramVocabulary* ngrams = nullptr;  ///< null: the rows get none
  const DataFacts& facts;
  /// Hashes of the training texts (DataFacts::different_texts), ascending; empty: none are kept.
  std::span<const std::uint64_t> texts;
};

/// A model's training file, read once more.
struct TrainingRows {
  std::unique_ptr<EncodedDataset> file;
  DatasetView train;
  DatasetView validation;  ///< those that were split off; may be empty
};

/// Reads `data.train` by what the model learnt from it, and parts its rows as that training did, by
/// `seed`. `threads` <= 0: all cores. Throws DataError where the file is not there, cannot be read,
/// or has other rows than those that the model was trained on.
TrainingRows read_training_rows(const ModelReading& model, const DataConfig& data,
                                std::int64_t seed, int threads);

}  // namespace diffuse
