#include "diffuse/eval/evaluator.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/softmax.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <utility>

#include "diffuse/base/error.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/data/sampler.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/device/precision.hpp"
#include "diffuse/eval/label_answers.hpp"

namespace diffuse {

at::Tensor queue_logits(Classifier& classifier, const Batch& batch, const ForwardContext& context,
                        Precision precision) {
  const at::NoGradGuard no_grad;
  const PrecisionScope scope(precision, classifier.device());
  const OneThreadScope threads(classifier.is_small(batch));
  return classifier.forward(batch, context);
}

at::Tensor fetch_logits(const at::Tensor& queued) {
  return queued.to(at::kCPU, at::kFloat).contiguous();
}

std::size_t batches_ahead(at::Device device) {
  constexpr std::size_t kOfAGpu = 16;
  return device.is_cpu() ? 1 : kOfAGpu;
}

at::Tensor predict_logits(Classifier& classifier, const Batch& batch, const ForwardContext& context,
                          Precision precision) {
  return fetch_logits(queue_logits(classifier, batch, context, precision));
}

std::vector<float> class_probabilities(std::span<const float> logits, std::int64_t class_count) {
  std::vector<float> probabilities(logits.begin(), logits.end());
  if (logits.empty()) return probabilities;
  const at::Tensor rows = at::from_blob(
      probabilities.data(), {static_cast<std::int64_t>(logits.size()) / class_count, class_count});
  // In blocks: with thousands of classes a third copy of all rows would be the run's peak. Of a
  // size that LibTorch computes in the calling thread: waking others takes longer.
  constexpr std::int64_t kBlockElements = 2048;
  const std::int64_t block_rows = std::max<std::int64_t>(kBlockElements / class_count, 1);
  for (std::int64_t begin = 0; begin < rows.size(0); begin += block_rows) {
    const at::Tensor block = rows.narrow(0, begin, std::min(block_rows, rows.size(0) - begin));
    block.copy_(at::softmax(block, -1));
  }
  return probabilities;
}

std::int64_t evaluation_batch_tokens(const Classifier& classifier) {
  constexpr std::int64_t kWork = 5'000'000'000;
  if (!classifier.device().is_cpu()) return 0;
  return std::max<std::int64_t>(kWork / std::max<std::int64_t>(classifier.work_per_token(), 1), 1);
}

namespace {

/// Adds the linear branch's logits to the network's.
BranchFigures take_in_branch(const BranchOptions& options, bool network, const Gold& gold,
                             Evaluation& result) {
  if (options.ngram_logits.size() != result.logits.size())
    throw Error("The linear branch's logits are of other rows.");
  BranchFigures figures{.factors = options.factors,
                        .ngram_accuracy = accuracy_of(options.ngram_logits, gold)};
  if (network) figures.network_accuracy = accuracy_of(result.logits, gold);
  if (options.fit)
    figures.factors = fit_factors(result.logits, options.ngram_logits, gold, options.factors);
  add_branches(result.logits, options.ngram_logits, figures.factors);
  return figures;
}

/// Divides the logits by the temperature, makes their probabilities anew, and says what those
/// before were worth.
Calibration take_in_temperature(double temperature, const Gold& gold, Evaluation& result) {
  const double before =
      expected_calibration_error(calibration_bins(result.probabilities, gold.labels, gold.classes));
  apply_temperature(result.logits, temperature);
  std::vector<float>().swap(result.probabilities);  // as large as the new ones
  result.probabilities = class_probabilities(result.logits, gold.classes);
  return {.temperature = temperature, .ece_before = before};
}

/// Probabilities, answers and figures of the logits.
void judge(const EvaluationOptions& options, Gold gold, Evaluation& result) {
  if (!gold.several) {
    result.probabilities = class_probabilities(result.logits, options.class_count);
    if (options.temperature != 1)
      result.calibration = take_in_temperature(options.temperature, gold, result);
    result.metrics = compute_metrics(result.probabilities, gold.labels, options.class_count);
    result.metrics.majority = majority_of(result.metrics, options.class_rows);
    result.gold = std::move(gold.labels);
    return;
  }
  result.probabilities = label_probabilities(result.logits);
  const std::vector<float> thresholds = options.thresholds.empty()
                                            ? choose_thresholds(result.probabilities, gold)
                                            : options.thresholds;
  result.metrics = compute_label_metrics(result.logits, result.probabilities, gold, thresholds);
  result.gold = gold.labels;
  result.several = SeveralAnswers{.gold = std::move(gold),
                                  .answers = answered_labels(result.probabilities, thresholds),
                                  .separator = options.label_separator};
}

/// A batch that a device was given.
struct Queued {
  std::vector<std::uint32_t> rows;  ///< of the data set
  at::Tensor logits;
};

}  // namespace

Evaluation evaluate_logits(std::vector<float> logits, const DatasetView& view,
                           const EvaluationOptions& options, bool network) {
  Evaluation result;
  result.logits = std::move(logits);
  for (const std::uint32_t row : view.rows) result.rows.push_back(view.data->number(row));
  Gold gold = gold_of(view, options.class_count);
  if (options.branches) result.branches = take_in_branch(*options.branches, network, gold, result);
  judge(options, std::move(gold), result);
  return result;
}

Evaluation evaluate(Classifier& classifier, const DatasetView& view,
                    const EvaluationOptions& options) {
  if (view.size() == 0) throw Error("There are no rows to evaluate on.");
  const double start_s = steady_now_s();
  const auto width = static_cast<std::size_t>(options.class_count);
  std::vector<float> all_logits(view.size() * width);
  // Batches name rows of the data set, results stand in the order of the view.
  std::unordered_map<std::uint32_t, std::size_t> place_of;
  place_of.reserve(view.size());
  for (std::size_t i = 0; i < view.size(); ++i) place_of.emplace(view.rows[i], i);
  ForwardContext context;
  if (classifier.random_at_evaluation())
    context.generator =
        make_generator(classifier.device(), static_cast<std::uint64_t>(options.noise_seed));
  std::int64_t done = 0;
  const std::size_t ahead = batches_ahead(classifier.device());
  std::vector<Queued> queued;
  const auto fetch = [&] {
    for (const auto& [rows, logits] : queued) {
      const at::Tensor own = fetch_logits(logits);
      for (std::size_t i = 0; i < rows.size(); ++i)
        std::memcpy(&all_logits[place_of.at(rows[i]) * width],
                    own.const_data_ptr<float>() + i * width, width * sizeof(float));
      done += static_cast<std::int64_t>(rows.size());
    }
    queued.clear();
    if (options.on_progress) options.on_progress(done, static_cast<std::int64_t>(view.size()));
  };
  for (const auto& rows :
       evaluation_batches(view, options.batch_size, evaluation_batch_tokens(classifier))) {
    const Batch batch = make_batch(pack_rows(*view.data, rows), classifier.device());
    if (options.before_batch) options.before_batch(batch);
    queued.push_back({rows, queue_logits(classifier, batch, context, options.precision)});
    if (queued.back().logits.size(1) != options.class_count)
      throw Error("The classifier's number of outputs is not the number of classes.");
    if (queued.size() >= ahead) fetch();
  }
  if (!queued.empty()) fetch();
  const double time_s = steady_now_s() - start_s;
  Evaluation result =
      evaluate_logits(std::move(all_logits), view, options, !classifier.parameters().empty());
  result.time_s = time_s;
  result.examples_per_s = static_cast<double>(view.size()) / time_s;
  result.tokens_per_s = static_cast<double>(view.token_count()) / time_s;
  return result;
}

}  // namespace diffuse
