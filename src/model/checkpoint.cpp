#include "diffuse/model/checkpoint.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <string_view>

#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/model/model_factory.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kModelFile = "model.safetensors";
constexpr std::string_view kConfigFile = "config.json";
constexpr std::string_view kVocabFile = "vocab.txt";
constexpr std::string_view kLabelsFile = "labels.txt";

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

/// Reads all but the weights; the classifier is freshly initialised.
LoadedModel read_parts(const fs::path& folder) {
  LoadedModel model;
  const fs::path config = folder / kConfigFile;
  model.config = parse_config(read_file(config), config.string());
  model.tokenizer = load_tokenizer(model.config.tokenizer, folder / kVocabFile);
  model.labels = Labels::read(folder / kLabelsFile);
  const ModelShape shape = {model.tokenizer->vocab_size(), model.labels.size(),
                            model.tokenizer->mask_id()};
  model.classifier = make_classifier(model.config.model, shape, /*seed=*/0);
  return model;
}

}  // namespace

fs::path resolve_checkpoint(const fs::path& path) {
  const std::vector<fs::path> folders = {path, path / "checkpoints" / "best",
                                         path / "checkpoints" / "last"};
  std::string looked_for;
  for (const fs::path& folder : folders) {
    const fs::path file = folder / kModelFile;
    std::error_code ignored;
    if (fs::is_regular_file(file, ignored)) return folder;
    looked_for += fmt::format("\n  {}", file.string());
  }
  throw CheckpointError(
      fmt::format("No checkpoint in '{}'. Give a run directory of `diffuse train` or one of its "
                  "checkpoints. Looked for:{}",
                  path.string(), looked_for));
}

LoadedModel load_model(const fs::path& folder) {
  check_files(folder);
  LoadedModel model;
  try {
    model = read_parts(folder);
  } catch (const UserError& error) {
    throw CheckpointError(
        fmt::format("Checkpoint '{}' cannot be used. {}", folder.string(), error.what()));
  }
  std::vector<std::pair<std::string, at::Tensor>> targets;
  for (const NamedParameter& parameter : model.classifier->parameters()) {
    targets.emplace_back(parameter.name, parameter.tensor);
  }
  load_tensors(folder / kModelFile, targets);
  return model;
}

void save_model(const fs::path& folder, const Config& config, const Tokenizer& tokenizer,
                const Labels& labels, const Classifier& classifier,
                const std::vector<at::Tensor>& tensors) {
  const std::vector<NamedParameter> parameters = classifier.parameters();
  bool fits = parameters.size() == tensors.size();
  for (std::size_t i = 0; fits && i < tensors.size(); ++i) {
    fits = tensors[i].sizes() == parameters[i].tensor.sizes();
  }
  if (!fits) throw Error("save_model: the tensors are not those of the classifier's parameters.");

  std::vector<std::pair<std::string, at::Tensor>> named;
  named.reserve(tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    named.emplace_back(parameters[i].name, tensors[i]);
  }
  save_tensors(folder / kModelFile, named);
  write_file_atomically(folder / kConfigFile, config_json(config));
  write_file_atomically(folder / kVocabFile, tokenizer.vocab_text());
  write_file_atomically(folder / kLabelsFile, labels.text());
}

}  // namespace diffuse
