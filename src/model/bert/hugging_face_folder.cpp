// BERT and DistilBERT from a Hugging Face folder: config.json and model.safetensors, both
// untrusted.

#include <ATen/core/grad_mode.h>
#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/json_fields.hpp"
#include "base/json_reader.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/safetensors.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/model/hugging_face_folder.hpp"
#include "model/tensor_file.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kWeightsName = "model.safetensors";
constexpr std::string_view kConfigName = "config.json";

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

/// What the keys are called in the config of a type of models.
struct Keys {
  const char* type;
  const char* title;
  const char* activation;
  const char* dim;
  const char* layers;
  const char* heads;
  const char* hidden_dim;
  const char* dropout;
  const char* attention_dropout;
  const char* classifier_dropout;
};

constexpr Keys kDistilBertKeys = {.type = "distilbert",
                                  .title = "DistilBERT",
                                  .activation = "activation",
                                  .dim = "dim",
                                  .layers = "n_layers",
                                  .heads = "n_heads",
                                  .hidden_dim = "hidden_dim",
                                  .dropout = "dropout",
                                  .attention_dropout = "attention_dropout",
                                  .classifier_dropout = "seq_classif_dropout"};
constexpr Keys kBertKeys = {.type = "bert",
                            .title = "BERT",
                            .activation = "hidden_act",
                            .dim = "hidden_size",
                            .layers = "num_hidden_layers",
                            .heads = "num_attention_heads",
                            .hidden_dim = "intermediate_size",
                            .dropout = "hidden_dropout_prob",
                            .attention_dropout = "attention_probs_dropout_prob",
                            .classifier_dropout = "classifier_dropout"};

/// Refuses another architecture, which would load nothing, and what would load and compute
/// something else.
void check_kind(const nlohmann::json& json, const JsonFields& fields, const Keys& keys) {
  const auto expect = [&](const char* key, const std::string& expected) {
    const std::string found = fields.text(key);
    if (found != expected)
      throw DataError(
          fmt::format("{} is \"{}\"; expected \"{}\".", key, printable(found), expected));
  };
  expect("model_type", keys.type);
  if (json.contains(keys.activation)) expect(keys.activation, "gelu");
  if (json.contains("position_embedding_type")) expect("position_embedding_type", "absolute");
}

/// BERT's; a DistilBERT of transformers has no other than the default, whatever the file says.
double norm_eps_of(const JsonFields& fields, ModelType type, double otherwise) {
  const double value = fields.optional_number("layer_norm_eps").value_or(otherwise);
  if (type != ModelType::bert && value != otherwise)
    throw DataError(
        fmt::format("layer_norm_eps is {}; expected {}, which every DistilBERT computes with.",
                    value, otherwise));
  if (value > 0.0 && value <= 1.0) return value;
  throw DataError(fmt::format("layer_norm_eps is {}; expected above 0 and at most 1.", value));
}

BertFolder parse_folder(const nlohmann::json& json, const std::string& place, ModelType type) {
  if (!json.is_object()) throw DataError(fmt::format("{}: expected a JSON object.", place));
  const Keys& keys = type == ModelType::bert ? kBertKeys : kDistilBertKeys;
  const JsonFields fields(json, place);
  check_kind(json, fields, keys);
  BertFolder folder{.sizes = type == ModelType::bert ? Config{}.bert : Config{}.distilbert};
  BertFamilyConfig& sizes = folder.sizes;
  folder.vocab_size = size_of(fields, "vocab_size", folder.vocab_size);
  sizes.dim = size_of(fields, keys.dim, sizes.dim);
  sizes.layers = size_of(fields, keys.layers, sizes.layers);
  sizes.heads = size_of(fields, keys.heads, sizes.heads);
  sizes.hidden_dim = size_of(fields, keys.hidden_dim, sizes.hidden_dim);
  sizes.max_positions = size_of(fields, "max_position_embeddings", sizes.max_positions);
  sizes.dropout = probability_of(fields, keys.dropout, sizes.dropout);
  sizes.attention_dropout = probability_of(fields, keys.attention_dropout, sizes.attention_dropout);
  if (type == ModelType::bert) {
    sizes.token_types = size_of(fields, "type_vocab_size", sizes.token_types);
    sizes.classifier_dropout = sizes.dropout;  // unless it has one of its own
  }
  sizes.classifier_dropout =
      probability_of(fields, keys.classifier_dropout, sizes.classifier_dropout);
  sizes.norm_eps = norm_eps_of(fields, type, sizes.norm_eps);
  sizes.init_std = fields.optional_number("initializer_range").value_or(sizes.init_std);
  folder.pad_id = fields.optional_count("pad_token_id").value_or(folder.pad_id);
  if (sizes.dim % sizes.heads != 0)
    throw DataError(fmt::format("{} is {} and {} {}, which does not divide it.", keys.dim,
                                sizes.dim, keys.heads, sizes.heads));
  if (folder.pad_id >= folder.vocab_size)
    throw DataError(fmt::format("pad_token_id is {}; expected less than vocab_size, {}.",
                                folder.pad_id, folder.vocab_size));
  if (!(sizes.init_std >= 0.0)) throw DataError("initializer_range is negative.");
  return folder;
}

/// Whether a sentence-transformers folder says that the mean of the tokens is read.
bool reads_the_mean(const fs::path& folder) {
  const fs::path path = folder / "1_Pooling" / kConfigName;
  if (!is_file(path)) return false;
  const nlohmann::json json = read_json_object(read_file(path), path.string());
  return JsonFields(json, path.string()).optional_flag("pooling_mode_mean_tokens");
}

/// Refuses a config far larger than the weights beside it before memory is taken for it; small
/// differences are left to load_pretrained, which names the tensors, and so are weights that are
/// not there (check_pretrained_weights).
void check_size(const BertFolder& folder, const fs::path& weights) {
  std::error_code missing;
  const std::uintmax_t bytes = fs::file_size(weights, missing);
  if (missing) return;
  constexpr double kSlackBytes = 64e6;
  // In floating point: the product may be larger than an integer.
  const auto dim = static_cast<double>(folder.sizes.dim);
  const double per_layer =
      4.0 * dim * dim + 2.0 * dim * static_cast<double>(folder.sizes.hidden_dim);
  const double wanted = static_cast<double>(folder.sizes.layers) * per_layer +
                        static_cast<double>(folder.vocab_size + folder.sizes.max_positions) * dim;
  if (4.0 * wanted <= 4.0 * static_cast<double>(bytes) + kSlackBytes) return;
  throw DataError(fmt::format("It asks for about {:.3g} parameters, {} has {} bytes.", wanted,
                              kWeightsName, format_count(static_cast<std::int64_t>(bytes))));
}

}  // namespace

void check_pretrained_weights(const fs::path& folder) {
  if (is_file(folder / kWeightsName)) return;
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
  throw CheckpointError(fmt::format("'{}' has no {}. {}", folder.string(), kWeightsName, advice));
}

BertFolder read_bert_folder(const fs::path& folder, ModelType type) {
  const fs::path path = folder / kConfigName;
  if (!is_file(path)) {
    throw CheckpointError(fmt::format(
        "'{}' has no {}. Give a Hugging Face folder with config.json, "
        "model.safetensors and vocab.txt{}.",
        folder.string(), kConfigName,
        folder.filename() == "minilm"
            ? fmt::format("; `scripts/get_data.sh minilm {}` fetches one", folder.string())
            : ""));
  }
  try {
    const nlohmann::json json = read_json_object(read_file(path), std::string(kConfigName));
    BertFolder found = parse_folder(json, std::string(kConfigName), type);
    check_size(found, folder / kWeightsName);
    if (type == ModelType::bert) found.sizes.mean_pooling = reads_the_mean(folder);
    return found;
  } catch (const DataError& error) {
    throw CheckpointError(fmt::format(
        "'{}' does not describe a {}. {}", path.string(),
        type == ModelType::bert ? kBertKeys.title : kDistilBertKeys.title, error.what()));
  }
}

PretrainedReport load_pretrained(Classifier& classifier, const fs::path& folder,
                                 const std::string& body_prefix) {
  check_pretrained_weights(folder);
  const fs::path path = folder / kWeightsName;
  const SafetensorsFile file = SafetensorsFile::read(path);
  PretrainedReport report;
  std::vector<std::string> faults;
  std::vector<std::pair<const TensorView*, at::Tensor>> copies;
  std::set<std::string_view> used;
  for (const auto& [name, target, role] : classifier.parameters()) {
    const bool body = name.starts_with(body_prefix);
    auto found = file.tensors().find(name);
    if (found == file.tensors().end() && body) {
      found = file.tensors().find(name.substr(body_prefix.size()));
    }
    if (found == file.tensors().end()) {
      if (body)
        faults.push_back(
            fmt::format("{}: missing, expected {}", shown_tensor(name), described(target)));
      else
        report.missing.push_back(name);
      continue;
    }
    used.insert(found->first);
    if (const auto fault = mismatch(found->second, target)) faults.push_back(*fault);
    copies.emplace_back(&found->second, target);
  }
  if (!faults.empty()) {
    throw CheckpointError(
        fmt::format("'{}' does not fit the model:{}", path.string(), listed_faults(faults)));
  }
  for (const auto& [name, view] : file.tensors()) {
    if (!used.contains(name)) report.unexpected.push_back(name);
  }
  for (const auto& [view, target] : copies) copy_into(target, *view);
  report.loaded = static_cast<std::int64_t>(copies.size());
  return report;
}

}  // namespace diffuse
