#include <fmt/core.h>

#include <string>

#include "conflicts.hpp"
#include "diffuse/config/load.hpp"
#include "field.hpp"

namespace diffuse {
namespace {

void check_positions(const Config& config, const std::string& key, std::int64_t positions,
                     std::vector<Conflict>& found) {
  const std::int64_t longest = config.tokenizer.max_tokens;
  if (longest != 0 && longest <= positions) return;
  found.push_back({{"tokenizer.max_tokens", key},
                   fmt::format("{} is more than the {} positions of {}; expected a limit from 1 to "
                               "{}",
                               longest == 0 ? "no limit" : std::to_string(longest), positions, key,
                               positions)});
}

void check_heads(const std::string& heads_key, std::int64_t heads, const std::string& dim_key,
                 std::int64_t dim, std::vector<Conflict>& found) {
  if (dim % heads == 0) return;
  found.push_back(
      {{heads_key, dim_key},
       fmt::format("{} heads cannot share {} = {}; expected a divisor", heads, dim_key, dim)});
}

void check_bert_family(const Config& config, std::vector<Conflict>& found) {
  const std::string section(enum_name(config.model.type));
  const BertFamilyConfig& model =
      config.model.type == ModelType::bert ? config.bert : config.distilbert;
  if (!model.pretrained.empty()) return;  // whose sizes count
  check_heads(section + ".heads", model.heads, section + ".dim", model.dim, found);
  check_positions(config, section + ".max_positions", model.max_positions, found);
}

void check_width(const Config& config, std::vector<Conflict>& found) {
  if (config.model.dim == 0)
    found.push_back({{"model.dim", "model.type"},
                     fmt::format("0 leaves no network, but model.type = {} needs one; expected a "
                                 "width of at least 1",
                                 enum_name(config.model.type))});
}

void check_head_dim(const Config& config, std::vector<Conflict>& found) {
  const MixerConfig& mixer = config.mixer;
  if (const std::int64_t inner = mixer.expand * config.model.dim; inner % mixer.head_dim != 0)
    found.push_back({{"mixer.head_dim", "mixer.expand", "model.dim"},
                     fmt::format("{} does not divide mixer.expand x model.dim = {}; expected a "
                                 "divisor",
                                 mixer.head_dim, inner)});
}

/// Each rule is for the types that its key concerns.
void check_mixer(const Config& config, std::vector<Conflict>& found) {
  const auto concerns = [&config](std::string_view name) {
    return has_effect("mixer", name, config.model.type);
  };
  const MixerConfig& mixer = config.mixer;
  if (concerns("max_positions"))
    check_positions(config, "mixer.max_positions", mixer.max_positions, found);
  if (concerns("heads"))
    check_heads("mixer.heads", mixer.heads, "model.dim", config.model.dim, found);
  if (concerns("head_dim")) check_head_dim(config, found);
  check_width(config, found);
}

}  // namespace

void find_model_type_conflicts(const Config& config, std::vector<Conflict>& found) {
  switch (family_of(config.model.type)) {
    case ModelFamily::diffusion:
      return;  // the rules of its own, in conflicts.cpp
    case ModelFamily::bert:
      return check_bert_family(config, found);
    case ModelFamily::mixer:
      return check_mixer(config, found);
    case ModelFamily::torchscript:
      if (config.model.file.empty())
        found.push_back(
            {{"model.file", "model.type"},
             "empty, but model.type = torchscript needs the TorchScript file of a model"});
      return;
  }
}

void find_ineffective_keys(const Config& config, std::vector<Conflict>& found) {
  static const Config defaults;
  for (const Section& section : all_sections()) {
    for (const Field& field : section.fields) {
      if (field.concerns(config.model.type) || field.get(config) == field.get(defaults)) continue;
      found.push_back(
          {{field.key(), "model.type"},
           fmt::format("has no effect, because model.type = {}", enum_name(config.model.type))});
    }
  }
}

}  // namespace diffuse
