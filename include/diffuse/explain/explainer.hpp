#pragma once

#include <cstdint>
#include <string_view>

#include "diffuse/explain/explanation.hpp"
#include "diffuse/model/checkpoint.hpp"

namespace diffuse {

/// Whether a model of `config` can be explained: the diffusion network, n-grams, or both.
bool can_be_explained(const Config& config);

/// Takes the logits of a model to pieces. Of the n-grams exactly: value · weight · the branch's
/// factor. Of the network by integrated gradients (Sundararajan, Taly and Yan, ICML 2017), along
/// the straight line from a baseline, the row of [MASK] for each token where token dropout trains
/// it, else zeros, to the text's initial state; the rows of pairs start at zero. In float32 on the
/// model's device, without noise.
class Explainer {
 public:
  /// What parts and baseline may lack of the logit.
  static constexpr double kTolerance = 1e-3;

  /// Tokens that the points of a path may have together: so long may it take.
  static constexpr std::int64_t kMostTokens = 200'000;

  /// `model` must outlive the object. Throws Error for one that cannot be explained.
  explicit Explainer(const LoadedModel& model, std::int64_t most_tokens = kMostTokens);

  /// Why `text` has the logit of `label` that it has. May be called by several threads at a time
  /// where the model is on the CPU. error() is beyond kTolerance only where the network is too
  /// steep for the points that it may take.
  Explanation explain(std::string_view text, std::int32_t label) const;

 private:
  const LoadedModel& model_;
  std::int64_t most_tokens_;
};

}  // namespace diffuse
