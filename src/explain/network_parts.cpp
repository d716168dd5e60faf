#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "diffuse/explain/explainer.hpp"
#include "diffuse/explain/path_integral.hpp"
#include "network_path.hpp"
#include "parts.hpp"

namespace diffuse {
namespace {

/// Of a long text still some points.
std::int64_t most_points(std::size_t tokens, std::int64_t most_tokens) {
  return std::clamp<std::int64_t>(most_tokens / static_cast<std::int64_t>(tokens), 33, 1025);
}

/// The row that stands for no word: [MASK]'s, where training has put it in words' places.
std::optional<std::int32_t> baseline_token(const LoadedModel& model) {
  if (model.config.model.token_dropout > 0) return model.tokenizer->mask_id();
  return std::nullopt;
}

/// Two words, the first and the last of a part; the same of a single one, -1 of added tokens.
using WordRange = std::pair<std::int32_t, std::int32_t>;

/// The words that token i's pair is of: both, if both are words of the text.
WordRange words_of_pair(const std::vector<PlacedToken>& tokens, std::size_t i) {
  const std::int32_t own = tokens[i].word;
  const std::int32_t before = i > 0 ? tokens[i - 1].word : own;
  if (own < 0 || before < 0) return {std::max(own, before), std::max(own, before)};
  return {before, own};
}

}  // namespace

void add_network_parts(const LoadedModel& model, std::string_view text, std::int64_t most_tokens,
                       Explanation& explanation) {
  const Tokenizer& tokenizer = *model.tokenizer;
  const std::int64_t limit = model.config.tokenizer.cut_at();
  std::vector<PlacedToken> tokens = tokenizer.encode_placed(text, limit);
  if (tokens.empty()) tokens.push_back({.id = tokenizer.unknown_id()});
  std::vector<std::int32_t> ids;
  for (const PlacedToken& token : tokens) ids.push_back(token.id);

  const double factor = (model.ngrams ? model.ngrams->factors.network : 1.0) / model.temperature;
  const NetworkPath path(*model.classifier, ids, baseline_token(model), explanation.label, factor);
  const PathIntegral integral =
      integrate_path(path, Explainer::kTolerance / 4, most_points(ids.size(), most_tokens));
  explanation.baseline += integral.start;
  explanation.logit += integral.end;

  std::map<WordRange, ExplainedPart> parts;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const PlacedToken& token = tokens[i];
    ExplainedPart& word = parts[{token.word, token.word}];
    word.contribution += integral.parts[i];
    if (path.has_pairs())
      parts[words_of_pair(tokens, i)].contribution += integral.parts[tokens.size() + i];
    if (token.word < 0) continue;
    word.unknown = word.unknown || token.id == tokenizer.unknown_id();
    if (word.places.empty()) word.places.push_back(token.place);
    word.places.front().end = std::max(word.places.front().end, token.place.end);
  }
  for (auto& [words, part] : parts) {
    const auto [first, last] = words;
    if (first < 0) {
      part.kind = PartKind::added;
    } else if (first != last) {
      part.kind = PartKind::pair;
      part.places = {{parts.at({first, first}).places.front().begin,
                      parts.at({last, last}).places.front().end}};
    }
    explanation.parts.push_back(part);
  }
  std::vector<std::int32_t> all;
  if (limit > 0 && tokenizer.encode(text, 0, all) > std::ssize(ids)) {
    explanation.read_end = 0;
    for (const PlacedToken& token : tokens)
      if (token.word >= 0) explanation.read_end = std::max(explanation.read_end, token.place.end);
  }
}

}  // namespace diffuse
