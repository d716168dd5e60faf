#include "diffuse/model/initial_weights.hpp"

#include <fmt/core.h>

#include <cstring>
#include <sstream>
#include <string_view>
#include <unordered_map>

#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/safetensors.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/model/checkpoint_manifest.hpp"
#include "tensor_file.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kHead = "head.";
constexpr std::string_view kWordTable = "embedding.weight";
/// Its rows are found by a hash of two token ids, which are other words in another vocabulary.
constexpr std::string_view kPairTable = "embedding.bigrams";

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// Copies the rows of the words that `from` and `to` share; returns how many.
std::int64_t copy_words(const TensorView& view, const std::vector<std::string>& from,
                        const std::vector<std::string>& to, const at::Tensor& table) {
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < from.size(); ++i) places.emplace(from[i], i);
  const std::size_t row_bytes = static_cast<std::size_t>(table.size(1)) * sizeof(float);
  auto* bytes = reinterpret_cast<std::byte*>(table.mutable_data_ptr<float>());
  std::int64_t known = 0;
  for (std::size_t i = 0; i < to.size(); ++i) {
    const auto found = places.find(to[i]);
    if (found == places.end()) continue;
    std::memcpy(bytes + i * row_bytes, view.bytes.data() + found->second * row_bytes, row_bytes);
    ++known;
  }
  return known;
}

bool is_word_table(const TensorView& view, const at::Tensor& table, std::size_t words) {
  return view.dtype == DType::f32 && view.shape.size() == 2 && table.dim() == 2 &&
         view.shape[0] == static_cast<std::int64_t>(words) && view.shape[1] == table.size(1);
}

}  // namespace

std::vector<std::string> initial_words(const fs::path& folder, const Config& config) {
  check_checkpoint(folder, CheckpointUse::model);
  const fs::path file = folder / "config.json";
  const Config theirs = parse_config(read_file(file), file.string());
  if (theirs.model.dim != config.model.dim)
    throw CheckpointError(
        fmt::format("train.init: the model of '{}' has model.dim = {}, this one {}; expected the "
                    "same, or no weight fits.",
                    folder.string(), theirs.model.dim, config.model.dim));
  if (theirs.tokenizer.type != config.tokenizer.type ||
      theirs.tokenizer.lowercase != config.tokenizer.lowercase)
    throw CheckpointError(fmt::format(
        "train.init: '{}' makes tokens in another way (tokenizer.type or tokenizer.lowercase); "
        "expected the same.",
        folder.string()));
  return lines_of(read_file(folder / "vocab.txt"));
}

InitialWeights start_from_checkpoint(Classifier& classifier, const Tokenizer& tokenizer,
                                     const Labels& labels, const fs::path& folder) {
  const SafetensorsFile file = SafetensorsFile::read(folder / "model.safetensors");
  const std::vector<std::string> theirs = lines_of(read_file(folder / "vocab.txt"));
  const std::vector<std::string> words = lines_of(tokenizer.vocab_text());
  const bool same_words = theirs == words;
  const bool same_classes = read_file(folder / "labels.txt") == labels.text();
  InitialWeights found;
  for (const NamedParameter& parameter : classifier.parameters()) {
    const auto tensor = file.tensors().find(parameter.name);
    const at::Tensor target = parameter.tensor.detach();
    bool taken = tensor != file.tensors().end() &&
                 (same_classes || !parameter.name.starts_with(kHead)) &&
                 (same_words || parameter.name != kPairTable);
    if (taken && parameter.name == kWordTable) {
      taken = is_word_table(tensor->second, target, theirs.size());
      if (taken) found.words = copy_words(tensor->second, theirs, words, target);
    } else if (taken) {
      taken = !mismatch(tensor->second, target);
      if (taken) copy_into(target, tensor->second);
    }
    (taken ? found.taken : found.fresh).push_back(parameter.name);
  }
  if (found.taken.empty())
    throw CheckpointError(fmt::format(
        "train.init: no weight of '{}' has the name and the shape of one of this model; expected "
        "a checkpoint of the same model.dim.",
        folder.string()));
  return found;
}

}  // namespace diffuse
