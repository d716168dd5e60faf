#pragma once

#include <cmath>
#include <cstdint>

#include "ops/rows/host_device.hpp"

namespace diffuse::rows {

/// Lanes that share a text's classes: lane l has classes l, l + kLanes, …. What each has found is
/// put together in the order of the lanes, so that every device adds in one order.
inline constexpr int kLanes = 32;

/// The losses of texts, and what they are of.
template <class A>
struct TextLosses {
  std::int64_t texts = 0;                ///< B
  std::int64_t classes = 0;              ///< C
  const A* logits = nullptr;             ///< [B, C]
  const std::int64_t* labels = nullptr;  ///< [B]
  const float* distributions = nullptr;  ///< [B, C], the targets; null: the labels, smoothed
  const float* weights = nullptr;        ///< [B]; null: all 1
  bool several = false;                  ///< the targets are of each class by itself
  A smoothing = 0;

  DIFFUSE_HOST_DEVICE A logit(std::int64_t text, std::int64_t label) const {
    return logits[text * classes + label];
  }
  /// What the output should be: (1 - s) · one-hot + s / C of a label.
  DIFFUSE_HOST_DEVICE A target(std::int64_t text, std::int64_t label) const {
    if (distributions != nullptr) return static_cast<A>(distributions[text * classes + label]);
    const A share = smoothing / static_cast<A>(classes);
    return label == labels[text] ? 1 - smoothing + share : share;
  }
  DIFFUSE_HOST_DEVICE A weight(std::int64_t text) const {
    return weights == nullptr ? A{1} : static_cast<A>(weights[text]);
  }
};

/// The largest logit of some classes; the first of them where several have it.
template <class A>
struct Top {
  // Without initial values: a GPU's shared memory takes no type that has some.
  A value;
  std::int64_t at;  ///< -1: none yet
};

template <class A>
DIFFUSE_HOST_DEVICE constexpr Top<A> no_top() {
  return {0, -1};
}

/// A value that is not a number is the largest, as it is for LibTorch.
template <class A>
DIFFUSE_HOST_DEVICE inline Top<A> larger(const Top<A>& a, const Top<A>& b) {
  if (a.at < 0) return b;
  if (b.at < 0) return a;
  const bool a_number = a.value == a.value;
  const bool b_number = b.value == b.value;
  if (a_number != b_number) return a_number ? b : a;
  if (b.value > a.value) return b;
  if (a_number && b.value < a.value) return a;
  return a.at < b.at ? a : b;
}

template <class A>
DIFFUSE_HOST_DEVICE inline Top<A> lane_top(const TextLosses<A>& losses, std::int64_t text,
                                           int lane) {
  Top<A> top = no_top<A>();
  for (std::int64_t c = lane; c < losses.classes; c += kLanes)
    top = larger(top, Top<A>{losses.logit(text, c), c});
  return top;
}

/// What a lane's classes add to the loss.
template <class A>
struct LaneSums {
  A exponentials;      ///< Σ exp(logit - top)
  A wanted;            ///< Σ target · (logit - top)
  A targets;           ///< Σ target
  A several;           ///< Σ of each class's own loss
  std::int32_t wrong;  ///< classes on the wrong side of a probability of 1/2
};

template <class A>
DIFFUSE_HOST_DEVICE inline LaneSums<A> joined_sums(const LaneSums<A>& a, const LaneSums<A>& b) {
  return {a.exponentials + b.exponentials, a.wanted + b.wanted, a.targets + b.targets,
          a.several + b.several, a.wrong + b.wrong};
}

template <class A>
DIFFUSE_HOST_DEVICE inline LaneSums<A> lane_sums(const TextLosses<A>& losses, std::int64_t text,
                                                 A top, int lane) {
  LaneSums<A> sums{};
  for (std::int64_t c = lane; c < losses.classes; c += kLanes) {
    const A logit = losses.logit(text, c);
    const A target = losses.target(text, c);
    if (losses.several) {
      const A size = logit < 0 ? -logit : logit;
      sums.several += (logit > 0 ? logit : A{0}) - target * logit + std::log1p(std::exp(-size));
      // A logit that is not a number is on neither side.
      sums.wrong += logit == logit && (logit > 0) == (target > A(0.5)) ? 0 : 1;
    } else {
      sums.exponentials += std::exp(logit - top);
      if (target != 0) sums.wanted += target * (logit - top);  // which may be infinite
      sums.targets += target;
    }
  }
  return sums;
}

/// The loss of a text, of the sums over all of its classes: cross-entropy, or the sum of each
/// class's own.
template <class A>
DIFFUSE_HOST_DEVICE inline A text_loss(const TextLosses<A>& losses, std::int64_t text,
                                       const LaneSums<A>& sums) {
  const A own =
      losses.several ? sums.several : sums.targets * std::log(sums.exponentials) - sums.wanted;
  return losses.weight(text) * own;
}

/// The gradient of that by the logit of a class.
template <class A>
DIFFUSE_HOST_DEVICE inline A logit_gradient(const TextLosses<A>& losses, std::int64_t text,
                                            std::int64_t label, A top, const LaneSums<A>& sums) {
  const A logit = losses.logit(text, label);
  const A target = losses.target(text, label);
  if (losses.several) {
    const A small = std::exp(logit < 0 ? logit : -logit);
    const A probability = (logit < 0 ? small : A{1}) / (1 + small);
    return losses.weight(text) * (probability - target);
  }
  return losses.weight(text) * (sums.targets * std::exp(logit - top) / sums.exponentials - target);
}

/// Whether the answer is the text's: its label has the largest logit, or each class is on its side.
template <class A>
DIFFUSE_HOST_DEVICE inline bool is_correct(const TextLosses<A>& losses, std::int64_t text,
                                           const Top<A>& top, const LaneSums<A>& sums) {
  if (losses.several) return sums.wrong == 0;
  return top.at == losses.labels[text] && top.value == top.value;
}

}  // namespace diffuse::rows
