#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/data/dataset.hpp"
#include "diffuse/data/layout.hpp"
#include "diffuse/data/row_parts.hpp"
#include "diffuse/data/summary.hpp"
#include "diffuse/text/labels.hpp"
#include "diffuse/text/ngrams.hpp"
#include "diffuse/text/tokenizer.hpp"

namespace diffuse {

/// What a training run needs of its files.
struct TrainingData {
  std::unique_ptr<Tokenizer> tokenizer;
  std::optional<NgramVocabulary> ngrams;  ///< where the config asks for them
  Labels labels;
  std::unique_ptr<EncodedDataset> train_file;
  std::unique_ptr<EncodedDataset> validation_file;  ///< null when validation is a split of train
  std::unique_ptr<EncodedDataset> test_file;        ///< null without test rows
  DatasetView train;
  DatasetView validation;  ///< may be empty (data.validation_fraction = 0)
  DatasetView test;
  DataSummary summary;  ///< what of all this a model reads, and what not
  DataFacts facts;      ///< of `train`, for the checkpoint
  /// XXH3-128 of each file read, by config key ("data.train": "…"), for the manifest.
  std::vector<std::pair<std::string, std::string>> hashes;
};

/// What can be found wrong without reading a data file: a format that its name does not tell, a
/// label or vocabulary file that is none, pictures to be changed where there are none. Throws one
/// DataError with every fault.
void check_data_settings(const Config& config);

/// Reads (or takes from the cache), checks, encodes and splits. `threads` <= 0: all cores. A
/// vocabulary that is made of the training text has `words`, too. Bad rows
/// left out are counted in `EncodedDataset::skipped_rows`. Logs what a reader of the figures should
/// know (`data_notes`). With n-grams the cache is not used: it has none. `parts` of the training
/// file are trained on and, without data.test, tested; null: all of it is trained on but for
/// data.test_fraction. The cache, which has whole files, is not used then either. Throws DataError
/// with file, line and what was expected.
TrainingData load_training_data(const DataConfig& data, const TokenizerConfig& tokenizer,
                                std::int64_t seed, int threads,
                                std::span<const std::string> words = {},
                                const NgramConfig& ngrams = {}, const RowParts* parts = nullptr);

/// The weight of each class, [C]: 1, n / (C n_c) of `class_rows` (n rows in all, C classes that
/// have any), or by name. Throws DataError for a name that is no class, or one that stands twice.
std::vector<double> class_weights(const ClassWeights& setting, const Labels& labels,
                                  const std::vector<std::int64_t>& class_rows);
/// Multiplies the weights of `data.train_file`'s rows by their classes' weights. To be called once.
/// Throws DataError as class_weights does, and if no training row has more than 0.
void weigh_classes(const ClassWeights& setting, TrainingData& data);

/// One labelled file (or several, as one) for evaluation, by an existing tokenizer and existing
/// labels. `layout`: that of the training data, by which the file is read as far as `data` says
/// nothing else. A label that the model lacks is then no bad row but one of label -1, which counts
/// as wrong; a warning tells how many, and if no label is known that is a DataError. Null, for a
/// model that keeps no layout: the columns are found by `data`, and such a label makes a bad row.
/// What it does not read of the file is told by `data_notes` of `summarize`. `rows`: which of
/// all records are taken (RowParts), and nothing is told of the others; null: all of the file.
std::unique_ptr<EncodedDataset> load_labelled_file(const InputFiles& files, const DataConfig& data,
                                                   const TokenizerConfig& tokenizer_config,
                                                   const Tokenizer& tokenizer, const Labels& labels,
                                                   int threads,
                                                   const RecordLayout* layout = nullptr,
                                                   const NgramVocabulary* ngrams = nullptr,
                                                   const std::vector<bool>* rows = nullptr);

/// `data` without what it says about label, text, weight and separator: a file that is read by a
/// layout takes these from there, and what is set again lays itself over it; weights are
/// training's alone.
DataConfig without_columns(DataConfig data);

}  // namespace diffuse
