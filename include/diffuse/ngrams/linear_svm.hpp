#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "diffuse/base/worker_pool.hpp"
#include "diffuse/data/ngram_rows.hpp"

namespace diffuse {

/// Weights of a linear classifier of n-grams: logit c of a text is bias[c] + sum of value · weight.
struct LinearWeights {
  std::int64_t classes = 0;    ///< C
  std::vector<float> weights;  ///< [V, C]
  std::vector<float> bias;     ///< [C]

  std::int64_t features() const { return std::ssize(weights) / std::max<std::int64_t>(classes, 1); }
  /// Writes the logits [C] of a text.
  void logits(std::span<const NgramValue> text, float* to) const;
};

/// What a linear classifier is trained on.
struct LinearProblem {
  const NgramRows& rows;
  std::span<const std::uint32_t> which;  ///< the rows to train on, [n]
  std::span<const std::int32_t> labels;  ///< of each of these, [n]
  /// [n, C] of rows of several labels: 1 where one has the label; `labels` then say nothing. Empty:
  /// a row's class is its label.
  std::span<const std::uint8_t> has{};
  std::span<const float> importance{};  ///< of each of these, a factor of `cost`; empty: 1
  std::int64_t classes = 0;
  std::int64_t features = 0;
  double cost = 1;
  std::uint64_t seed = 1;  ///< of the order in which rows are taken
};

/// Logits of training rows by machines that were trained without them.
struct OutOfFold {
  std::vector<std::size_t> places;      ///< of the rows among those trained on, ascending, [m]
  std::vector<float> logits;            ///< [m, C]
  std::vector<std::int64_t> fold_of{};  ///< of each row trained on, [n]; of NgramFit
};

/// A support vector machine for each class against the others, with squared hinge loss and a bias
/// that is regularised as the weights are:
///
///     min over w:  ½ |w|² + cost · Σ_i max(0, 1 − y_i · w·x_i)²
///
/// by dual coordinate descent (Hsieh, Chang, Lin, Keerthi and Sundararajan, ICML 2008), with
/// shrinking: exact to the tolerance, without a learning rate, and the same with any number of
/// threads. Two classes have one machine, whose logits are −½ and ½ of its margin, but where rows
/// have several labels.
class LinearSvm {
 public:
  /// Trains on the threads of `pool`. `problem`'s rows and lists must outlive the object. Throws
  /// Stopped (base/signals.hpp) soon after a stop signal, as out_of_fold does.
  LinearSvm(const LinearProblem& problem, WorkerPool& pool);

  LinearWeights weights() const;

  /// What machines say of training rows that they were trained without: one that knows none of a
  /// fold's rows of each row of the fold. `fold_of` [n]: from 0; the first `needed` are asked for.
  OutOfFold out_of_fold(std::span<const std::int64_t> fold_of, std::int64_t needed) const;

 private:
  LinearProblem problem_;
  WorkerPool& pool_;
  std::int64_t machines_;       // C, or 1 of two classes
  std::vector<float> weights_;  // [V + 1, machines], the bias last
  std::vector<float> dual_;     // [machines, n]
};

}  // namespace diffuse
