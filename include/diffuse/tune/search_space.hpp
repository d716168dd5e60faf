#pragma once

#include <optional>
#include <string>
#include <vector>

#include "diffuse/base/random.hpp"
#include "diffuse/config/config.hpp"

namespace diffuse {

/// A key of the configuration and the values that are tried for it, as `--set` takes them.
struct TunedKey {
  std::string key;
  std::vector<std::string> values;
};

/// The keys that `train --autotune` varies, and between what (docs/autotune.md). Those of the
/// network are left out of a model without one (model.dim = 0), those of n-grams where none are
/// counted, and all that `fixed` names. train.length is tried at half and at twice what it is.
std::vector<TunedKey> search_space(const Config& start, const std::vector<std::string>& fixed);

/// `from` with other values for one key of `space`, or a few: each further one half as likely.
/// Nothing where many draws gave only what the configuration's own checks refuse.
std::optional<Config> changed_at_random(const Config& from, const std::vector<TunedKey>& space,
                                        Random& random);

/// "model.dim = 128, train.batch_size = 32": in what `config` differs from `start`; "as it began"
/// where it does not.
std::string changes_text(const Config& start, const Config& config);

}  // namespace diffuse
