#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/data/layout.hpp"
#include "diffuse/model/classifier.hpp"
#include "diffuse/ngrams/train_ngrams.hpp"
#include "diffuse/text/labels.hpp"
#include "diffuse/text/tokenizer.hpp"

namespace diffuse {

/// The folder that holds a checkpoint's files: `path` itself if it holds `model.safetensors`, else
/// `path/checkpoints/best`, else `path/checkpoints/last`: the first that is there, whole or not.
/// Throws CheckpointError saying what was looked for, or which link leads nowhere.
std::filesystem::path resolve_checkpoint(const std::filesystem::path& path);

/// The linear branch of a checkpoint.
struct LoadedNgrams {
  NgramVocabulary vocabulary;
  TrainedNgrams trained;
  BranchFactors factors;  ///< of the checkpoint's two branches
};

/// What of the linear branch is stored.
struct NgramsContent {
  const NgramVocabulary& vocabulary;
  const TrainedNgrams& trained;
  BranchFactors factors;  ///< of this checkpoint
  /// A file with the same weights, of an earlier checkpoint of the run, to be shared where the file
  /// system can; empty: none.
  std::filesystem::path same_file{};
};

/// A checkpoint's model half: all that evaluation and prediction need.
struct LoadedModel {
  Config config;
  std::unique_ptr<Tokenizer> tokenizer;
  Labels labels;
  std::optional<DataFacts> data;           ///< nothing: a checkpoint of a version that kept none
  std::unique_ptr<Classifier> classifier;  ///< on the CPU
  std::optional<LoadedNgrams> ngrams{};    ///< where the config has n-grams
  double temperature = 1;                  ///< that divides the logits
  /// [C] from which on each label is answered; empty where a text has one label.
  std::vector<float> thresholds{};

  bool several_labels() const { return !config.data.label_separator.empty(); }
};

/// Reads `config.json`, `vocab.txt`, `labels.txt` and `model.safetensors` of the checkpoint folder
/// `folder`, `data.json` and `calibration.json` where they are there, `ngrams.safetensors` and
/// `branches.json` where the config has n-grams, `thresholds.json` where it is there and a text has
/// several labels (else they are 0.5), and `module.pt` where `model.type` is torchscript, once its
/// manifest has been checked (checkpoint_manifest.hpp). Throws CheckpointError as that does, or
/// listing every missing, unexpected or misshapen tensor, or saying that `config.json` asks for far
/// more parameters than are there, before it takes memory for them. `long_texts`: stands in the
/// place of the checkpoint's tokenizer.long_texts.
LoadedModel load_model(const std::filesystem::path& folder,
                       std::optional<LongTexts> long_texts = std::nullopt);

/// The hashes of the training texts (DataFacts::different_texts) that `texts.bin` of the checkpoint
/// folder holds; nothing where it keeps none. Throws CheckpointError if the file is no such list.
std::optional<std::vector<std::uint64_t>> read_training_texts(const std::filesystem::path& folder);

/// Writes rows `begin` to `end` - 1 of a matrix to `to`.
using RowSource = std::function<void(std::int64_t begin, std::int64_t end, float* to)>;

/// Writes the same files, but no manifest, into the existing folder `folder`. `tensors` are the
/// values to write for the classifier's parameters, in the order of `parameters()` (the averaged
/// weights where EMA is on). `data`: null writes neither `data.json` nor
/// `texts.bin`. `rows` make, some rows at a time, the float32 matrices that are undefined among
/// `tensors`, in their order.
void save_model(const std::filesystem::path& folder, const Config& config,
                const Tokenizer& tokenizer, const Labels& labels, const Classifier& classifier,
                const std::vector<at::Tensor>& tensors, const DataFacts* data = nullptr,
                const std::vector<RowSource>& rows = {}, const NgramsContent* ngrams = nullptr);

/// The linear branch of the checkpoint folder `folder`, of `classes` classes. Throws
/// CheckpointError.
LoadedNgrams load_ngram_branch(const std::filesystem::path& folder, const Config& config,
                               std::int64_t classes);

/// Writes `calibration.json` into the checkpoint folder `folder`.
void save_temperature(const std::filesystem::path& folder, double temperature);
/// Reads it; 1 where it is not there. Throws CheckpointError.
double read_temperature(const std::filesystem::path& folder);

/// Name of the file that holds the linear branch's weights.
inline constexpr const char* kNgramsFile = "ngrams.safetensors";

/// Named tensors in one safetensors file, host memory, any device in.
void save_tensors(const std::filesystem::path& path,
                  const std::vector<std::pair<std::string, at::Tensor>>& tensors);
/// Copies the file's tensors into `targets` (name, tensor to fill). Throws CheckpointError listing
/// every mismatch of name, shape and dtype; then nothing has been copied.
void load_tensors(const std::filesystem::path& path,
                  const std::vector<std::pair<std::string, at::Tensor>>& targets);

}  // namespace diffuse
