#include "diffuse/tune/search_space.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/config/load.hpp"

namespace diffuse {
namespace {

/// Of the network and its training. The values are those of the recipes in configs/, and what lies
/// between and just beyond them.
const std::vector<TunedKey>& network_keys() {
  static const std::vector<TunedKey> keys = {
      {"model.dim", {"32", "64", "128", "256"}},
      {"model.steps", {"1", "2", "3"}},
      {"model.radius", {"1", "2", "3"}},
      {"model.alpha", {"0.2", "0.5", "0.8"}},
      {"model.weight", {"channel", "full"}},
      {"model.activation", {"identity", "gelu"}},
      {"model.norm", {"none", "pre"}},
      {"model.pooling", {"mean_max", "max", "mean"}},
      {"model.head_hidden_dim", {"0", "-1"}},
      {"model.bigram_buckets", {"0", "262144"}},
      {"model.embedding_init_std", {"0.02", "0.15"}},
      {"model.token_dropout", {"0", "0.1", "0.2"}},
      {"model.embedding_dropout", {"0.1", "0.2", "0.3", "0.5"}},
      {"model.head_dropout", {"0.1", "0.2", "0.3", "0.5"}},
      {"train.batch_size", {"32", "64", "128"}},
      {"train.learning_rate", {"1e-3", "2e-3", "3e-3", "5e-3", "1e-2"}},
      {"train.schedule", {"cosine", "linear"}},
      {"train.ema_decay", {"0", "0.999"}},
      {"train.label_smoothing", {"0", "0.05", "0.1"}},
      {"train.adversarial", {"0", "0.05"}},
  };
  return keys;
}

const std::vector<TunedKey>& ngram_keys() {
  static const std::vector<TunedKey> keys = {
      {"ngrams.max", {"1", "2", "3"}},
      {"ngrams.char_max", {"0", "5"}},
      {"ngrams.weighting", {"tfidf", "naive_bayes"}},
      {"ngrams.min_count", {"1", "2"}},
      {"ngrams.cost", {"0.3", "1", "3"}},
  };
  return keys;
}

/// Half, once and twice the length, whatever its unit; nothing for "auto".
std::optional<TunedKey> lengths(const std::string& length) {
  if (length == kAutomaticLength) return std::nullopt;
  TunedKey key{"train.length", {}};
  const double value = parse_length(length).value;
  for (const double factor : {0.5, 1.0, 2.0})
    key.values.push_back(fmt::format("{:g}{}", value * factor, length.back()));
  return key;
}

Config with(const Config& config, const Overrides& values) {
  return parse_config(config_json(config), "autotune", values);
}

}  // namespace

std::vector<TunedKey> search_space(const Config& start, const std::vector<std::string>& fixed) {
  std::vector<TunedKey> space;
  const bool network = start.model.dim > 0;
  if (network) {
    space = network_keys();
    if (auto key = lengths(start.train.length)) space.push_back(*std::move(key));
  }
  if (start.ngrams.max > 0 || start.ngrams.char_max > 0)
    space.insert(space.end(), ngram_keys().begin(), ngram_keys().end());
  std::erase_if(space, [&](const TunedKey& tuned) {
    return std::find(fixed.begin(), fixed.end(), tuned.key) != fixed.end();
  });
  return space;
}

std::optional<Config> changed_at_random(const Config& from, const std::vector<TunedKey>& space,
                                        Random& random) {
  constexpr int kDraws = 100;
  constexpr std::size_t kMostKeys = 6;
  if (space.empty()) return std::nullopt;
  for (int draw = 0; draw < kDraws; ++draw) {
    Overrides values;
    do {
      const TunedKey& tuned = space[random.below(space.size())];
      values.emplace_back(tuned.key, tuned.values[random.below(tuned.values.size())]);
    } while (values.size() < kMostKeys && random.below(2) == 0);
    try {
      Config changed = with(from, values);
      if (!config_differences(from, changed).empty()) return changed;
    } catch (const ConfigError&) {  // two values that do not go together
    }
  }
  return std::nullopt;
}

std::string changes_text(const Config& start, const Config& config) {
  std::vector<std::string> changes;
  for (const ConfigDifference& difference : config_differences(start, config))
    changes.push_back(difference.key + " = " + difference.to);
  return changes.empty() ? "as it began" : join(changes, ", ");
}

}  // namespace diffuse
