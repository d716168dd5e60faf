#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/data/dataset.hpp"
#include "diffuse/data/gold.hpp"
#include "diffuse/data/summary.hpp"
#include "diffuse/eval/metrics.hpp"
#include "diffuse/eval/temperature.hpp"
#include "diffuse/model/classifier.hpp"
#include "diffuse/ngrams/branch_factors.hpp"

namespace diffuse {

/// What each branch of a model of two says by itself.
struct BranchFigures {
  BranchFactors factors;                     ///< of their sum
  std::optional<double> network_accuracy{};  ///< absent where there is none (model.dim = 0)
  double ngram_accuracy = 0;
};

/// The linear branch's part in an evaluation.
struct BranchOptions {
  std::vector<float> ngram_logits;  ///< [n, C] of the view's rows, in its order
  BranchFactors factors;            ///< of the sum of both branches
  bool fit = false;                 ///< find the factors on the rows themselves, from there
};

/// What a model answered that may give a text several labels.
struct SeveralAnswers {
  Gold gold;
  std::vector<std::uint8_t> answers;  ///< [n, C] 1 where the label was answered
  std::string separator;              ///< data.label_separator
};

struct Evaluation {
  Metrics metrics;
  std::vector<float> logits;         ///< [n, C] row-major, in the order of the view's rows
  std::vector<float> probabilities;  ///< their softmax, or of several labels each one's by itself
  std::vector<std::int32_t> gold;    ///< [n], -1: of a class that the model lacks
  std::optional<SeveralAnswers> several{};  ///< of several labels; of these `gold` says nothing
  std::vector<std::uint64_t> rows;          ///< [n] number of each row in its file, from 1
  /// What the model read of the rows; set by whoever knows.
  std::optional<PartSummary> data{};
  std::optional<BranchFigures> branches{};   ///< of a model of two
  std::optional<Calibration> calibration{};  ///< of one with a temperature
  double time_s = 0;
  double tokens_per_s = 0;
  double examples_per_s = 0;
};

struct EvaluationOptions {
  std::int64_t batch_size = 256;  ///< most texts; see evaluation_batch_tokens
  std::int64_t class_count = 0;
  std::vector<std::int64_t> class_rows{};   ///< training rows of each class; empty: not known
  std::int64_t noise_seed = 1;              ///< for a model with noise at evaluation
  Precision precision = Precision::fp32;    ///< resolved
  std::optional<BranchOptions> branches{};  ///< of a model of two
  double temperature = 1;                   ///< that divides the logits
  std::string label_separator{};            ///< data.label_separator of rows of several labels
  /// [C] of several labels, from which on each is answered; empty: they are chosen on the rows
  /// themselves (choose_thresholds).
  std::vector<float> thresholds{};
  /// Called before each batch is computed; may be empty.
  std::function<void(const Batch&)> before_batch{};
  /// Called after each batch with rows done and rows in all; may be empty.
  std::function<void(std::int64_t, std::int64_t)> on_progress{};
};

/// Most tokens of an evaluation batch of more than one text: as many as one or two cores take about
/// a third of a second for (DistilBERT: some 120), so that a stop signal, which is looked for
/// between batches, is answered soon, on a machine with other work too. By the model's shape, never
/// by the clock, so that equal evaluations give equal bytes. 0, any number, on a GPU.
std::int64_t evaluation_batch_tokens(const Classifier& classifier);

/// Runs `classifier` over `view` without gradients. Throws Error for an empty view.
Evaluation evaluate(Classifier& classifier, const DatasetView& view,
                    const EvaluationOptions& options);

/// What `logits` [n, C] of a network, of the rows of `view`, are worth together with the branches
/// of `options`: everything but the times. `network`: whether there is one.
Evaluation evaluate_logits(std::vector<float> logits, const DatasetView& view,
                           const EvaluationOptions& options, bool network = true);

/// Logits, float32 [B, C] on the host, of one batch, computed in `precision` (resolved).
at::Tensor predict_logits(Classifier& classifier, const Batch& batch, const ForwardContext& context,
                          Precision precision = Precision::fp32);
/// The same on the classifier's device, which may still be computing them.
at::Tensor queue_logits(Classifier& classifier, const Batch& batch, const ForwardContext& context,
                        Precision precision);
/// What predict_logits gives, of what queue_logits gave.
at::Tensor fetch_logits(const at::Tensor& queued);
/// How many batches are queued before the first is fetched: a GPU gets some ahead, so that it
/// computes while the next are packed.
std::size_t batches_ahead(at::Device device);

/// Softmax of each row of `logits` [n, C] row-major.
std::vector<float> class_probabilities(std::span<const float> logits, std::int64_t class_count);

}  // namespace diffuse
