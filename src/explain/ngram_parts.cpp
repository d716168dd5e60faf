#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "parts.hpp"

namespace diffuse {
namespace {

/// The parts of one text: an n-gram of words is one wherever it stands, characters are one by the
/// word that they are in.
class NgramParts {
 public:
  /// Which part the n-gram belongs to.
  std::size_t part_of(const PlacedNgram& ngram, std::string_view text) {
    const auto next = parts_.size();
    const std::size_t part = ngram.characters
                                 ? words_.try_emplace(ngram.place.of(text), next).first->second
                                 : sequences_.try_emplace(ngram.hash, next).first->second;
    if (part == next)
      parts_.push_back({.kind = ngram.characters ? PartKind::characters : PartKind::ngram});
    std::vector<TextSpan>& places = parts_[part].places;
    if (places.empty() || places.back() != ngram.place) places.push_back(ngram.place);
    return part;
  }
  std::vector<ExplainedPart>& parts() { return parts_; }

 private:
  std::unordered_map<std::uint64_t, std::size_t> sequences_;  // by hash
  std::unordered_map<std::string_view, std::size_t> words_;
  std::vector<ExplainedPart> parts_;
};

}  // namespace

void add_ngram_parts(const LoadedNgrams& branch, std::string_view text, Explanation& explanation) {
  const NgramModel& model = branch.trained.model;
  const double factor = branch.factors.ngrams;
  const std::vector<PlacedNgram> placed = branch.vocabulary.placed(text);
  std::vector<NgramValue> counts;
  for (const PlacedNgram& ngram : placed) counts.push_back({ngram.id, 1});
  sort_ngrams(counts, 0);
  const std::vector<double> contributions = model.contributions(counts, explanation.label);

  // What shares a number shares its contribution, each occurrence alike.
  NgramParts parts;
  double sum = 0;
  for (const PlacedNgram& ngram : placed) {
    const auto found =
        std::lower_bound(counts.begin(), counts.end(), ngram.id,
                         [](const NgramValue& a, std::int32_t id) { return a.id < id; });
    const double own = factor * contributions[static_cast<std::size_t>(found - counts.begin())] /
                       static_cast<double>(found->value);
    const std::size_t part = parts.part_of(ngram, text);
    parts.parts()[part].contribution += own;
    sum += own;
  }
  const double bias =
      factor *
      static_cast<double>(model.weights().bias[static_cast<std::size_t>(explanation.label)]);
  explanation.baseline += bias;
  explanation.logit += bias + sum;
  std::move(parts.parts().begin(), parts.parts().end(), std::back_inserter(explanation.parts));
}

}  // namespace diffuse
