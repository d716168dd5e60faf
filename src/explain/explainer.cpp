#include "diffuse/explain/explainer.hpp"

#include <algorithm>
#include <cmath>

#include "diffuse/base/error.hpp"
#include "parts.hpp"

namespace diffuse {

bool can_be_explained(const Config& config) {
  // A piece's own [CLS] and [SEP] are no tokens of the text.
  const bool adds_tokens =
      config.tokenizer.long_texts == LongTexts::pool && config.tokenizer.special_tokens;
  return config.model.type == ModelType::diffusion &&
         config.tokenizer.type != TokenizerType::values && !adds_tokens;
}

Explainer::Explainer(const LoadedModel& model, std::int64_t most_tokens)
    : model_(model), most_tokens_(most_tokens) {
  if (!can_be_explained(model.config))
    throw Error("Explainer: the network is no diffusion, or its input not a text's tokens alone.");
}

Explanation Explainer::explain(std::string_view text, std::int32_t label) const {
  Explanation explanation{.label = label};
  if (model_.config.model.dim > 0) add_network_parts(model_, text, most_tokens_, explanation);
  if (model_.ngrams) add_ngram_parts(*model_.ngrams, text, explanation);
  std::stable_sort(explanation.parts.begin(), explanation.parts.end(),
                   [](const ExplainedPart& a, const ExplainedPart& b) {
                     return std::abs(a.contribution) > std::abs(b.contribution);
                   });
  return explanation;
}

}  // namespace diffuse
