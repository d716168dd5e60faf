// DistilBERT from a Hugging Face folder: config.json and model.safetensors, both untrusted.

#include <ATen/core/grad_mode.h>
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/json_fields.hpp"
#include "base/json_reader.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/safetensors.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/model/distilbert.hpp"
#include "tensor_file.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kModelFile = "model.safetensors";
constexpr std::string_view kConfigFile = "config.json";
constexpr std::string_view kBodyPrefix = "distilbert.";

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

std::int64_t size_of(const JsonFields& fields, const char* key, std::int64_t otherwise) {
  constexpr std::int64_t kMost = 10'000'000;
  const std::int64_t value = fields.optional_count(key).value_or(otherwise);
  if (value >= 1 && value <= kMost) return value;
  throw DataError(fmt::format("{} is {}; expected 1 to {}.", key, value, kMost));
}

double probability_of(const JsonFields& fields, const char* key, double otherwise) {
  const double value = fields.optional_number(key).value_or(otherwise);
  if (value >= 0.0 && value < 1.0) return value;
  throw DataError(fmt::format("{} is {}; expected 0 to less than 1.", key, value));
}

/// Refuses another architecture, which would load nothing, and another activation, which would
/// load and compute something else.
void check_kind(const nlohmann::json& json, const JsonFields& fields) {
  const std::string type = fields.text("model_type");
  if (type != "distilbert") {
    throw DataError(fmt::format("model_type is \"{}\"; expected \"distilbert\".", printable(type)));
  }
  if (!json.contains("activation")) return;
  const std::string activation = fields.text("activation");
  if (activation != "gelu") {
    throw DataError(fmt::format("activation is \"{}\"; expected \"gelu\".", printable(activation)));
  }
}

DistilBertShape shape_of(const nlohmann::json& json, const std::string& place) {
  if (!json.is_object()) throw DataError(fmt::format("{}: expected a JSON object.", place));
  const JsonFields fields(json, place);
  check_kind(json, fields);
  DistilBertShape shape;
  shape.vocab_size = size_of(fields, "vocab_size", shape.vocab_size);
  shape.dim = size_of(fields, "dim", shape.dim);
  shape.layers = size_of(fields, "n_layers", shape.layers);
  shape.heads = size_of(fields, "n_heads", shape.heads);
  shape.hidden_dim = size_of(fields, "hidden_dim", shape.hidden_dim);
  shape.max_positions = size_of(fields, "max_position_embeddings", shape.max_positions);
  shape.dropout = probability_of(fields, "dropout", shape.dropout);
  shape.attention_dropout = probability_of(fields, "attention_dropout", shape.attention_dropout);
  shape.classifier_dropout =
      probability_of(fields, "seq_classif_dropout", shape.classifier_dropout);
  shape.initializer_range =
      fields.optional_number("initializer_range").value_or(shape.initializer_range);
  shape.pad_id = fields.optional_count("pad_token_id").value_or(shape.pad_id);
  if (shape.dim % shape.heads != 0) {
    throw DataError(
        fmt::format("dim is {} and n_heads {}, which does not divide it.", shape.dim, shape.heads));
  }
  if (shape.pad_id >= shape.vocab_size) {
    throw DataError(fmt::format("pad_token_id is {}; expected less than vocab_size, {}.",
                                shape.pad_id, shape.vocab_size));
  }
  if (!(shape.initializer_range >= 0.0)) throw DataError("initializer_range is negative.");
  return shape;
}

/// Refuses a config far larger than the weights beside it before memory is taken for it; small
/// differences are left to load_pretrained, which names the tensors.
void check_size(const DistilBertShape& shape, const fs::path& weights) {
  std::error_code missing;
  const std::uintmax_t bytes = fs::file_size(weights, missing);
  if (missing) return;
  constexpr double kSlackBytes = 64e6;
  // In floating point: the product may be larger than an integer.
  const double per_layer =
      4.0 * static_cast<double>(shape.dim) * static_cast<double>(shape.dim) +
      2.0 * static_cast<double>(shape.dim) * static_cast<double>(shape.hidden_dim);
  const double wanted =
      static_cast<double>(shape.layers) * per_layer +
      static_cast<double>(shape.vocab_size + shape.max_positions) * static_cast<double>(shape.dim);
  if (4.0 * wanted <= 4.0 * static_cast<double>(bytes) + kSlackBytes) return;
  throw DataError(fmt::format("It asks for about {:.3g} parameters, {} has {} bytes.", wanted,
                              kModelFile, format_count(static_cast<std::int64_t>(bytes))));
}

void check_weights_file(const fs::path& folder) {
  if (is_file(folder / kModelFile)) return;
  std::string advice =
      "Give a Hugging Face folder with config.json, model.safetensors and "
      "vocab.txt.";
  if (is_file(folder / "model.safetensors.index.json")) {
    advice =
        "Its weights are in several files; save it in one "
        "(save_pretrained(folder, max_shard_size=\"10GB\") in Python).";
  } else if (is_file(folder / "pytorch_model.bin")) {
    advice =
        "pytorch_model.bin is a Python pickle, which is not read; save the model again in "
        "Python (save_pretrained(folder), safetensors is its default).";
  }
  throw CheckpointError(fmt::format("'{}' has no {}. {}", folder.string(), kModelFile, advice));
}

}  // namespace

DistilBertShape read_distilbert_config(const fs::path& folder) {
  const fs::path path = folder / kConfigFile;
  if (!is_file(path)) {
    throw CheckpointError(
        fmt::format("'{}' has no {}. Give a Hugging Face folder with config.json, "
                    "model.safetensors and vocab.txt.",
                    folder.string(), kConfigFile));
  }
  try {
    const nlohmann::json json = read_json_object(read_file(path), std::string(kConfigFile));
    const DistilBertShape shape = shape_of(json, std::string(kConfigFile));
    check_size(shape, folder / kModelFile);
    return shape;
  } catch (const DataError& error) {
    throw CheckpointError(
        fmt::format("'{}' does not describe a DistilBERT. {}", path.string(), error.what()));
  }
}

PretrainedReport load_pretrained(TorchScriptClassifier& classifier, const fs::path& folder) {
  check_weights_file(folder);
  const fs::path path = folder / kModelFile;
  const SafetensorsFile file = SafetensorsFile::read(path);
  PretrainedReport report;
  std::vector<std::string> faults;
  std::vector<std::pair<const TensorView*, at::Tensor>> copies;
  std::set<std::string_view> used;
  for (const auto& [name, target, role] : classifier.parameters()) {
    const bool body = name.starts_with(kBodyPrefix);
    auto found = file.tensors().find(name);
    if (found == file.tensors().end() && body) {
      found = file.tensors().find(name.substr(kBodyPrefix.size()));
    }
    if (found == file.tensors().end()) {
      if (body)
        faults.push_back(fmt::format("{}: missing, expected {}", name, described(target)));
      else
        report.missing.push_back(name);
      continue;
    }
    used.insert(found->first);
    if (const auto fault = mismatch(found->second, target)) faults.push_back(*fault);
    copies.emplace_back(&found->second, target);
  }
  if (!faults.empty()) {
    throw CheckpointError(fmt::format("'{}' does not fit the model:\n  {}", path.string(),
                                      fmt::join(faults, "\n  ")));
  }
  for (const auto& [name, view] : file.tensors()) {
    if (!used.contains(name)) report.unexpected.push_back(name);
  }
  for (const auto& [view, target] : copies) copy_into(target, *view);
  report.loaded = static_cast<std::int64_t>(copies.size());
  return report;
}

}  // namespace diffuse
