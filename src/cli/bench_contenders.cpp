#include "bench_contenders.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <numeric>

#include "diffuse/base/error.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/device/precision.hpp"
#include "diffuse/model/checkpoint.hpp"
#include "diffuse/model/model_description.hpp"
#include "diffuse/model/model_factory.hpp"
#include "model_options.hpp"
#include "overrides.hpp"

namespace diffuse::cli {
namespace {

namespace fs = std::filesystem;

// A vocabulary of words has about this many in 100,000 short texts.
constexpr std::int64_t kAssumedWords = 40'000;
constexpr std::int64_t kAssumedClasses = 4;
constexpr const char* kBaseline = "distilbert-agnews.json";

std::optional<ModelType> known_model(std::string_view name) {
  for (const ModelType type : models_known_by_name())
    if (enum_name(type) == name) return type;
  return std::nullopt;
}

/// Throws UsageError where a config has n-grams alone.
void check_network(const Config& config, const std::string& name) {
  if (config.model.type == ModelType::diffusion && config.model.dim == 0)
    throw UsageError(fmt::format(
        "{}: model.dim = 0 has no network, which is what bench measures; expected a width of at "
        "least 1.",
        name));
}

void fill_facts(OpenedContender& opened) {
  const ContenderSpec& spec = opened.spec;
  const std::string pretrained = description_of(spec.config).pretrained(spec.config);
  opened.facts.name = spec.name;
  opened.facts.kind = description_of(spec.config).summary(spec.config);
  opened.facts.weights = !spec.checkpoint.empty() ? "checkpoint " + spec.checkpoint
                         : !pretrained.empty()    ? "pretrained " + pretrained
                         : spec.config.model.type == ModelType::torchscript ? "of the file"
                                                                            : "random";
}

bool is_readable(const std::string& path) {
  std::error_code ignored;
  return !path.empty() && fs::is_regular_file(path, ignored);
}

bool are_readable(const InputFiles& files) {
  std::vector<std::string> problems;
  const std::vector<std::string> paths = find_files(files, problems);
  return !paths.empty() && problems.empty() && std::ranges::all_of(paths, is_readable);
}

TrainingData read_training_file(const Config& config) {
  DataConfig data = config.data;
  data.test.clear();
  return load_training_data(data, config.tokenizer, config.train.seed, /*threads=*/0);
}

/// Fills in what the training file tells, where it is there.
void read_data(OpenedContender& opened) {
  Config& config = opened.spec.config;
  if (are_readable(config.data.train)) {
    TrainingData data = read_training_file(config);
    opened.tokenizer = std::move(data.tokenizer);
    opened.labels = data.labels;
    opened.train_rows = static_cast<std::int64_t>(data.train_file->size());
    opened.spec.shape.class_count = opened.labels.size();
  } else if (config.tokenizer.type != TokenizerType::words) {
    opened.tokenizer = load_tokenizer(config.tokenizer, config.tokenizer.vocab);
  }
  if (opened.tokenizer) {
    opened.spec.shape.vocab_size = opened.tokenizer->vocab_size();
    opened.spec.shape.mask_id = opened.tokenizer->mask_id();
    opened.spec.shape.pad_id = opened.tokenizer->pad_id();
    return;
  }
  opened.warnings.push_back(
      fmt::format("{}: no training file; a vocabulary of {} words and {} classes are assumed",
                  opened.spec.name, format_count(kAssumedWords), kAssumedClasses));
  opened.spec.shape.vocab_size = kAssumedWords;
}

/// Lays --kernel over the model's own.
void take_kernel(const BenchOptions& options, Config& config) {
  if (!options.kernel) return;
  config.train.kernel = *options.kernel;
  for (const std::string& name :
       options.devices.empty() ? std::vector<std::string>{"auto"} : options.devices) {
    const at::Device device = resolve_device(name);
    // Without --precision only those that the kernel computes in are tried.
    const std::vector<Precision> precisions =
        options.precisions.empty() ? std::vector{Precision::fp32} : options.precisions;
    for (const Precision precision : precisions)
      check_kernel(options.kernel, config.model.type, device,
                   resolve_precision(precision, device, product_width(config)));
  }
}

OpenedContender open_checkpoint(const std::string& path,
                                const std::function<void(Config&)>& adjust = {}) {
  const fs::path folder = resolve_checkpoint(path);
  LoadedModel model = load_model(folder);
  check_network(model.config, path);
  if (adjust) adjust(model.config);
  OpenedContender opened;
  opened.spec.name = path;
  opened.spec.config = model.config;
  opened.spec.shape = {model.tokenizer->vocab_size(), model.labels.size(),
                       model.tokenizer->mask_id(), model.tokenizer->pad_id()};
  opened.spec.checkpoint = fs::absolute(folder).string();
  // An epoch's length is known where the data that the model was trained on are still there.
  if (are_readable(model.config.data.train)) {
    try {
      opened.train_rows =
          static_cast<std::int64_t>(read_training_file(model.config).train_file->size());
    } catch (const UserError& error) {  // they have become something else
      opened.warnings.push_back(fmt::format("{}: no time of an epoch: {}", path, error.what()));
    }
  }
  opened.tokenizer = std::move(model.tokenizer);
  opened.labels = std::move(model.labels);
  fill_facts(opened);
  opened.facts.weights = "checkpoint " + path;
  return opened;
}

OpenedContender open_config(const Config& config, const std::string& name) {
  check_network(config, name);
  OpenedContender opened;
  opened.spec.name = name;
  opened.spec.config = config;
  opened.spec.shape.class_count = kAssumedClasses;
  read_data(opened);
  fill_facts(opened);
  return opened;
}

/// The configuration of a model of BERT's family for the data of `config`: that of
/// distilbert-agnews.json, with texts cut at as many tokens as those of `config`, at most its
/// positions.
Config bert_family_baseline(ModelType type, const Config& config, const std::string& pretrained) {
  Config baseline = load_config(find_config(kBaseline), {});
  baseline.model.type = type;
  baseline.data = config.data;
  const ModelDescription& model = description_of(type);
  if (!pretrained.empty()) {
    const fs::path folder = fs::absolute(pretrained);
    model.set_pretrained(baseline, folder.string());
    const fs::path vocab = folder / "vocab.txt";
    if (is_readable(vocab.string())) baseline.tokenizer.vocab = vocab.string();
  }
  take_pretrained_sizes(baseline);
  // Texts are cut where the other model cuts them, or where the positions end.
  const std::int64_t positions = model.longest_text(baseline);
  const std::int64_t cut = config.tokenizer.max_tokens;
  baseline.tokenizer.max_tokens = cut > 0 ? std::min(cut, positions) : positions;
  return baseline;
}

/// A model of BERT's family with the published sizes, or those of --pretrained.
OpenedContender open_bert_family(ModelType type, const BenchOptions& options,
                                 const OpenedContender& ours, std::int64_t longest) {
  const ModelDescription& model = description_of(type);
  OpenedContender opened;
  Config& config = opened.spec.config;
  config = bert_family_baseline(type, ours.spec.config, options.pretrained);
  // Pretrained positions cannot be added to.
  if (options.pretrained.empty() && model.longest_text(config) < longest) {
    model.set_longest_text(config, longest);
    opened.facts.extended_positions = true;
  }
  opened.spec.name = model.title();
  opened.tokenizer = load_tokenizer(config.tokenizer, config.tokenizer.vocab);
  opened.labels = ours.labels;
  opened.spec.shape = {opened.tokenizer->vocab_size(), ours.spec.shape.class_count,
                       opened.tokenizer->mask_id(), opened.tokenizer->pad_id()};
  fill_facts(opened);
  return opened;
}

/// Ours with another way to mix tokens, as wide and deep, on the same tokens.
OpenedContender open_mixer(ModelType type, const OpenedContender& ours, std::int64_t longest) {
  OpenedContender opened;
  Config& config = opened.spec.config;
  config = ours.spec.config;
  config.model.type = type;
  config.train.kernel = Kernel::automatic;
  config.mixer.heads = std::gcd(config.mixer.heads, config.model.dim);
  config.mixer.head_dim = std::gcd(config.mixer.head_dim, config.mixer.expand * config.model.dim);
  const ModelDescription& model = description_of(type);
  if (model.longest_text(config) < longest) model.set_longest_text(config, longest);
  opened.spec.made_for_each_length = true;
  opened.spec.name = model.title();
  opened.spec.shape = ours.spec.shape;
  opened.tokenizer = ours.tokenizer;
  opened.labels = ours.labels;
  fill_facts(opened);
  return opened;
}

/// A TorchScript file: what is known of it is its first embedding's rows.
OpenedContender open_torchscript(const std::string& file, const OpenedContender& ours) {
  OpenedContender opened;
  opened.spec.name = fs::path(file).filename().string();
  opened.spec.config = bert_family_baseline(ModelType::distilbert, ours.spec.config, "");
  opened.spec.config.model.type = ModelType::torchscript;
  opened.spec.config.model.file = fs::absolute(file).string();
  opened.labels = ours.labels;
  opened.spec.shape = {0, ours.spec.shape.class_count, 0, 0};
  const auto classifier = make_classifier(opened.spec.config, opened.spec.shape, 1);
  for (const NamedParameter& parameter : classifier->parameters()) {
    if (parameter.role == ParameterRole::embedding && opened.spec.shape.vocab_size == 0)
      opened.spec.shape.vocab_size = parameter.tensor.size(0);
  }
  const TokenizerConfig& tokenizer = opened.spec.config.tokenizer;
  opened.tokenizer = load_tokenizer(tokenizer, tokenizer.vocab);
  if (opened.spec.shape.vocab_size == 0)
    opened.spec.shape.vocab_size = opened.tokenizer->vocab_size();
  fill_facts(opened);
  return opened;
}

}  // namespace

std::vector<ModelType> models_known_by_name() {
  return types_of({ModelFamily::bert, ModelFamily::mixer});
}

Config distilbert_baseline(const Config& config) {
  return bert_family_baseline(ModelType::distilbert, config, "");
}

OpenedContender open_ours(const BenchOptions& options) {
  const auto adjust = [&options](Config& config) { take_kernel(options, config); };
  if (!options.checkpoint.empty()) return open_checkpoint(options.checkpoint, adjust);
  std::vector<std::string> faults;
  const Overrides overrides = parse_overrides(options.set, faults);
  if (!faults.empty()) throw UsageError(join(faults, "\n"));
  Config config = load_config(find_config(options.config), overrides);
  adjust(config);
  take_pretrained_sizes(config);
  return open_config(config, fs::path(options.config).stem().string());
}

void check_bench_files(const BenchOptions& options) {
  std::vector<std::string> faults;
  const auto check = [&faults](bool good, const std::string& fault) {
    if (!good) faults.push_back(fault);
  };
  std::error_code ignored;
  check(options.data.empty() || is_readable(options.data),
        fmt::format("--data {}: there is no such file, or it cannot be read.", options.data));
  std::size_t of_family = 0;
  for (const std::string& name : options.compare) {
    const std::optional<ModelType> known = known_model(name);
    of_family += known && family_of(*known) == ModelFamily::bert ? 1 : 0;
    if (known || (!name.empty() && fs::is_directory(name, ignored))) continue;
    if (name.empty()) {
      faults.push_back(
          fmt::format("--compare: empty; expected {}, a TorchScript file FILE.pt, a "
                      "config, or a run or checkpoint.",
                      type_names(models_known_by_name())));
    } else if (name.ends_with(".pt")) {
      check(is_readable(name),
            fmt::format("--compare {}: there is no such file, or it cannot be read.", name));
    } else {
      try {
        find_config(name);
      } catch (const UserError& error) {
        faults.push_back(fmt::format("{} (--compare also knows {}.)", error.what(),
                                     type_names(models_known_by_name())));
      }
    }
  }
  if (!options.pretrained.empty()) {
    check(of_family == 1,
          fmt::format("--pretrained {}: these are weights for {}; expected one of them in "
                      "--compare {}.",
                      options.pretrained, type_names(types_of({ModelFamily::bert}), "or"),
                      join(options.compare, ",")));
    check(of_family != 1 || fs::is_directory(options.pretrained, ignored),
          fmt::format("--pretrained {}: there is no such folder.", options.pretrained));
  }
  if (!faults.empty()) throw UsageError(join(faults, "\n"));
}

OpenedContender open_other(const std::string& name, const BenchOptions& options,
                           const OpenedContender& ours, std::int64_t longest) {
  std::error_code ignored;
  if (const std::optional<ModelType> known = known_model(name)) {
    if (family_of(*known) == ModelFamily::bert)
      return open_bert_family(*known, options, ours, longest);
    return open_mixer(*known, ours, longest);
  }
  if (name.ends_with(".pt")) return open_torchscript(name, ours);
  if (fs::is_directory(name, ignored)) return open_checkpoint(name);
  Config config = load_config(find_config(name), {});
  take_pretrained_sizes(config);
  return open_config(config, fs::path(name).stem().string());
}

}  // namespace diffuse::cli
