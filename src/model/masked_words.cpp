#include "diffuse/model/masked_words.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "diffuse/base/error.hpp"
#include "diffuse/base/random.hpp"

namespace diffuse {
namespace {

constexpr double kPower = 0.75;
// What is hidden, as a part of what would be if common words were hidden as often as others.
constexpr double kHiddenPart = 0.5;
// Of ten hidden words, those that become another word, and those that stay.
constexpr std::uint64_t kReplaced = 1;
constexpr std::uint64_t kKept = 1;

constexpr double unit(std::uint64_t random) {
  return static_cast<double>(random >> 11) * 0x1p-53;  // [0, 1)
}

/// How often a word is hidden, beside one that is not common.
double rate_of(double share, double common_share) {
  return std::min(1.0, std::sqrt(common_share / share));
}

/// The probability with which a span of `length` begins where none is, so that `part` of a long
/// text lies in one: between two of them are (1 - rate) / rate words in the mean.
double start_rate(double part, std::int64_t length) {
  return part / (part + static_cast<double>(length) * (1 - part));
}

/// The share from which on words count as common.
double common_share_of(const std::vector<double>& shares) {
  double low = 0;
  double high = 1;
  for (int step = 0; step < 60; ++step) {
    const double middle = (low + high) / 2;
    double hidden = 0;
    for (const double share : shares)
      if (share > 0) hidden += share * rate_of(share, middle);
    (hidden < kHiddenPart ? low : high) = middle;
  }
  return high;
}

}  // namespace

WordMasker::WordMasker(std::span<const std::int64_t> counts, std::int32_t mask_id,
                       const PretrainConfig& config)
    : mask_id_(mask_id),
      span_(std::max<std::int64_t>(config.span, 1)),
      negatives_(config.negatives),
      rates_(counts.size()),
      shares_(counts.size()),
      cumulative_(counts.size()),
      number_(counts.size(), -1) {
  double words = 0;
  for (const std::int64_t count : counts) words += static_cast<double>(count);
  if (words == 0)
    throw DataError("The texts hold no word of the vocabulary: there is nothing to pretrain on.");
  for (std::size_t word = 0; word < counts.size(); ++word)
    shares_[word] = static_cast<double>(counts[word]) / words;
  const double common_share = span_ > 1 ? 1 : common_share_of(shares_);  // at 1 no word is common
  double hidden = 0;  // of all words, in the average
  std::int64_t known = 0;
  for (std::size_t word = 0; word < counts.size(); ++word) {
    if (counts[word] > 0) {
      rates_[word] = start_rate(config.masked, span_) * rate_of(shares_[word], common_share);
      ++known;
    }
    shares_[word] *= rates_[word];
    hidden += shares_[word];
  }
  all_ = negatives_ >= known;
  double sum = 0;
  for (std::size_t word = 0; word < counts.size(); ++word) {
    shares_[word] /= hidden;
    sum += std::pow(shares_[word], kPower);
    cumulative_[word] = sum;
  }
}

/// A word by its share of the hidden ones to the power of 3/4.
std::int32_t WordMasker::draw(std::uint64_t random) const {
  const double at = unit(random) * cumulative_.back();
  // The first whose sum is above: words of 0 have the sum of the one before, so they never are.
  const auto found = std::upper_bound(cumulative_.begin(), cumulative_.end(), at);
  return static_cast<std::int32_t>(
      std::min<std::ptrdiff_t>(found - cumulative_.begin(), std::ssize(cumulative_) - 1));
}

void WordMasker::add_candidate(std::int32_t word, MaskedWords& to) {
  std::int32_t& number = number_[static_cast<std::size_t>(word)];
  if (number >= 0) return;
  number = static_cast<std::int32_t>(to.candidates.size());
  to.candidates.push_back(word);
}

void WordMasker::hide(std::span<const std::int32_t> tokens, std::span<const std::int32_t> offsets,
                      const RandomPlace& place, MaskedWords& to) {
  to.tokens.assign(tokens.begin(), tokens.end());
  to.places.clear();
  to.starts.clear();
  to.candidates.clear();
  to.labels.clear();
  Random random(mix_seed(mix_seed(place.seed, place.update), place.batch));
  for (std::size_t text = 0; text + 1 < offsets.size(); ++text) {
    to.starts.push_back(static_cast<std::int32_t>(to.places.size()));
    std::int64_t left = 0;   // of the span
    std::uint64_t kind = 0;  // what becomes of it
    for (std::int32_t i = offsets[text]; i < offsets[text + 1]; ++i) {
      const std::int32_t word = tokens[static_cast<std::size_t>(i)];
      const double rate = rates_[static_cast<std::size_t>(word)];
      if (left == 0) {
        if (rate == 0 || unit(random.next()) >= rate) continue;
        kind = random.below(10);
        left = span_;
      }
      --left;
      if (rate == 0) continue;  // no word
      if (kind >= kReplaced + kKept)
        to.tokens[static_cast<std::size_t>(i)] = mask_id_;
      else if (kind >= kKept)
        to.tokens[static_cast<std::size_t>(i)] = draw(random.next());
      add_candidate(word, to);
      to.places.push_back(i);
      to.labels.push_back(number_[static_cast<std::size_t>(word)]);
    }
  }
  to.starts.push_back(static_cast<std::int32_t>(to.places.size()));
  if (all_ && !to.places.empty())
    for (std::size_t word = 0; word < rates_.size(); ++word)
      if (rates_[word] > 0) add_candidate(static_cast<std::int32_t>(word), to);
  for (std::int64_t n = 0; n < negatives_ && !all_ && !to.places.empty(); ++n)
    add_candidate(draw(random.next()), to);
  add_biases(to);
  for (const std::int32_t word : to.candidates) number_[static_cast<std::size_t>(word)] = -1;
}

void WordMasker::add_biases(MaskedWords& to) const {
  const auto hidden = static_cast<double>(to.places.size());
  to.bias.resize(to.candidates.size());
  for (std::size_t c = 0; c < to.candidates.size(); ++c) {
    const auto word = static_cast<std::size_t>(to.candidates[c]);
    const double share = shares_[word];
    if (all_) {
      to.bias[c] = static_cast<float>(std::log(share));
      continue;
    }
    const double drawn =
        (cumulative_[word] - (word == 0 ? 0 : cumulative_[word - 1])) / cumulative_.back();
    // log (1 - q): it is neither hidden nor drawn.
    const double absent =
        hidden * std::log1p(-std::min(share, 1 - 0x1p-40)) +
        static_cast<double>(negatives_) * std::log1p(-std::min(drawn, 1 - 0x1p-40));
    to.bias[c] = static_cast<float>(std::log(share) - std::log(-std::expm1(absent)));
  }
}

}  // namespace diffuse
