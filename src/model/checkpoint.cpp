#include "diffuse/model/checkpoint.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>

#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/safetensors.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/model/checkpoint_manifest.hpp"
#include "diffuse/model/label_thresholds.hpp"
#include "diffuse/model/model_factory.hpp"
#include "diffuse/model/torchscript_classifier.hpp"
#include "ngram_branch.hpp"
#include "tensor_file.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kModelFile = "model.safetensors";
constexpr std::string_view kConfigFile = "config.json";
constexpr std::string_view kVocabFile = "vocab.txt";
constexpr std::string_view kLabelsFile = "labels.txt";
constexpr std::string_view kDataFile = "data.json";
constexpr std::string_view kTextsFile = "texts.bin";
constexpr std::string_view kModuleFile = "module.pt";  // of model.type = torchscript alone

/// Throws one CheckpointError naming every file that `folder` lacks.
void check_files(const fs::path& folder) {
  std::vector<std::string_view> missing;
  for (const std::string_view name : {kModelFile, kConfigFile, kVocabFile, kLabelsFile}) {
    std::error_code ignored;
    if (!fs::is_regular_file(folder / name, ignored)) missing.push_back(name);
  }
  if (missing.empty()) return;
  throw CheckpointError(fmt::format(
      "Checkpoint '{}' lacks {}. A checkpoint holds {}, {}, {} and {}; take one that "
      "training finished writing.",
      folder.string(), fmt::join(missing, ", "), kModelFile, kConfigFile, kVocabFile, kLabelsFile));
}

/// Reads all but the weights; there is no classifier yet.
LoadedModel read_parts(const fs::path& folder) {
  LoadedModel model;
  const fs::path config = folder / kConfigFile;
  model.config = parse_config(read_file(config), config.string());
  model.tokenizer = load_tokenizer(model.config.tokenizer, folder / kVocabFile);
  if (std::error_code ignored; fs::file_size(folder / kLabelsFile, ignored) == 0)
    throw DataError(
        "It was pretrained on texts alone and knows no classes; `diffuse train --init` begins with "
        "its weights.");
  model.labels = Labels::read_stored(folder / kLabelsFile);
  const fs::path data = folder / kDataFile;
  if (std::error_code ignored; fs::exists(data, ignored)) {
    model.data = parse_data_facts(read_file(data), data.string());
    if (model.data->class_rows.size() != model.labels.names().size())
      throw DataError(fmt::format("{} counts rows of {} classes, {} names {}.", kDataFile,
                                  model.data->class_rows.size(), kLabelsFile, model.labels.size()));
  }
  if (model.several_labels()) {
    const fs::path thresholds = folder / kThresholdsFile;
    std::error_code ignored;
    if (fs::exists(thresholds, ignored))
      model.thresholds = parse_thresholds(read_file(thresholds), model.labels, thresholds.string());
    else
      model.thresholds.assign(model.labels.names().size(), kUsualThreshold);
  }
  return model;
}

/// Refuses a config.json that asks for a classifier far larger than `weights` before memory is
/// taken for it. A small difference is left to load_tensors, which names the tensors; where the
/// numbers agree, nothing is too large: constants are at most 129 times the parameters.
void check_size(const Config& config, const ModelShape& shape, const SafetensorsFile& weights) {
  constexpr std::int64_t kFloatBytes = 4;
  constexpr std::int64_t kSlackBytes = 64'000'000;
  std::int64_t held = 0;
  std::int64_t held_bytes = 0;
  for (const auto& [name, view] : weights.tensors()) {
    held += static_cast<std::int64_t>(view.bytes.size() / dtype_size_bytes(view.dtype));
    held_bytes += static_cast<std::int64_t>(view.bytes.size());
  }
  const std::optional<std::int64_t> counted = count_parameters(config, shape);
  if (!counted) return;  // a TorchScript file is as large as its weights
  const std::int64_t wanted = *counted;
  const std::int64_t wanted_bytes = (wanted + count_constants(config)) * kFloatBytes;
  if (wanted == held || wanted_bytes <= 4 * held_bytes + kSlackBytes) return;
  throw CheckpointError(
      fmt::format("{} asks for {} parameters, {} holds {}; take all files of one checkpoint.",
                  kConfigFile, format_count(wanted), kModelFile, format_count(held)));
}

}  // namespace

fs::path resolve_checkpoint(const fs::path& path) {
  const std::vector<fs::path> folders = {path, path / "checkpoints" / "best",
                                         path / "checkpoints" / "last", path / "best",
                                         path / "last"};
  std::string looked_for;
  std::error_code ignored;
  for (const fs::path& name : folders) {
    const fs::path folder = pointed_folder(name);
    const fs::path file = folder / kModelFile;
    if (fs::is_regular_file(file, ignored)) return folder;
    // The best one without its weights is damaged, which whoever loads it is told; another one's
    // answers would not be its own. `path` may be a run, which holds checkpoints.
    if (name != path && fs::is_directory(folder, ignored)) return folder;
    if (fs::is_symlink(name, ignored) && !fs::exists(name, ignored))
      throw CheckpointError(
          fmt::format("'{}' is a link to '{}', which is not there: the link was copied without its "
                      "folder. Copy the folder that it means, with cp -rL.",
                      name.string(), fs::read_symlink(name, ignored).string()));
    looked_for += fmt::format("\n  {}", file.string());
  }
  throw CheckpointError(
      fmt::format("No checkpoint in '{}'. Give a run directory of `diffuse train` or one of its "
                  "checkpoints. Looked for:{}",
                  path.string(), looked_for));
}

LoadedModel load_model(const fs::path& folder, std::optional<LongTexts> long_texts) {
  check_files(folder);
  const CheckpointOrigin origin = check_checkpoint(folder, CheckpointUse::model);
  const fs::path weights_path = folder / kModelFile;
  const SafetensorsFile weights = SafetensorsFile::read(weights_path);
  LoadedModel model;
  try {
    model = read_parts(folder);
    if (long_texts) model.config.tokenizer.long_texts = *long_texts;
    const ModelShape shape = {model.tokenizer->vocab_size(), model.labels.size(),
                              model.tokenizer->mask_id(), model.tokenizer->pad_id()};
    // The checkpoint's own module: the file that it was made from may be gone.
    model.config.model.file =
        model.config.model.type == ModelType::torchscript ? (folder / kModuleFile).string() : "";
    check_size(model.config, shape, weights);
    model.classifier = make_classifier(model.config, shape, std::nullopt);
  } catch (const UserError& error) {
    throw CheckpointError(fmt::format("Checkpoint '{}' cannot be used. {}{}", folder.string(),
                                      error.what(), origin.advice()));
  }
  std::vector<std::pair<std::string, at::Tensor>> targets;
  for (const NamedParameter& parameter : model.classifier->parameters()) {
    targets.emplace_back(parameter.name, parameter.tensor);
  }
  load_tensors(weights, weights_path, targets);
  model.temperature = read_temperature(folder);
  if (model.config.ngrams.used())
    model.ngrams = load_ngram_branch(folder, model.config, model.labels.size());
  return model;
}

void save_model(const fs::path& folder, const Config& config, const Tokenizer& tokenizer,
                const Labels& labels, const Classifier& classifier,
                const std::vector<at::Tensor>& tensors, const DataFacts* data,
                const std::vector<RowSource>& rows, const NgramsContent* ngrams) {
  const std::vector<NamedParameter> parameters = classifier.parameters();
  bool fits = parameters.size() == tensors.size();
  std::vector<SavedTensor> named;
  std::size_t made = 0;  // of the tensors that `rows` make
  for (std::size_t i = 0; fits && i < tensors.size(); ++i) {
    const auto& [name, parameter, role] = parameters[i];
    if (!tensors[i].defined() && made < rows.size()) {
      named.push_back({name, parameter, rows[made++]});
      continue;
    }
    fits = tensors[i].defined() && tensors[i].sizes() == parameter.sizes();
    named.push_back({name, tensors[i]});
  }
  if (!fits) throw Error("save_model: the tensors are not those of the classifier's parameters.");
  save_tensors(folder / kModelFile, named);
  if (config.model.type == ModelType::torchscript)
    dynamic_cast<const TorchScriptClassifier&>(classifier.whole_text_classifier())
        .save(folder / kModuleFile);
  write_file_atomically(folder / kConfigFile, config_json(config));
  write_file_atomically(folder / kVocabFile, tokenizer.vocab_text());
  write_file_atomically(folder / kLabelsFile, labels.text());
  if (ngrams != nullptr) save_ngram_branch(folder, *ngrams);
  if (data == nullptr) return;
  write_file_atomically(folder / kDataFile, data_facts_json(*data));
  if (data->different_texts.empty()) return;
  std::string bytes;
  for (const std::uint64_t text : data->different_texts) {
    for (unsigned shift = 0; shift < 64; shift += 8)  // the lowest byte first on every machine
      bytes.push_back(static_cast<char>(text >> shift));
  }
  write_file_atomically(folder / kTextsFile, bytes);
}

std::optional<std::vector<std::uint64_t>> read_training_texts(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::exists(folder / kTextsFile, ignored)) return std::nullopt;
  const std::string bytes = read_file(folder / kTextsFile);
  std::vector<std::uint64_t> texts((bytes.size() + 7) / 8);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    texts[i / 8] |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (i % 8 * 8);
  if (bytes.size() % 8 == 0 && std::is_sorted(texts.begin(), texts.end())) return texts;
  throw CheckpointError(fmt::format(
      "Checkpoint '{}': {} is no list of hashes, ascending. Copy the whole folder again.",
      folder.string(), kTextsFile));
}

}  // namespace diffuse
