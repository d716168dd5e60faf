#include "precision_overflow.hpp"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "diffuse/base/signals.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/data/gold.hpp"
#include "diffuse/data/packed_rows.hpp"
#include "diffuse/data/sampler.hpp"
#include "diffuse/device/device.hpp"

namespace diffuse::cli {
namespace {

/// The network's logits [n, C] of the rows of `view`, in its order, whatever they are.
std::vector<float> network_logits(Classifier& classifier, const DatasetView& view,
                                  const EvaluationOptions& options) {
  const auto width = static_cast<std::size_t>(options.class_count);
  std::unordered_map<std::uint32_t, std::size_t> place_of;
  for (std::size_t i = 0; i < view.size(); ++i) place_of.emplace(view.rows[i], i);
  ForwardContext context;
  if (classifier.random_at_evaluation())
    context.generator =
        make_generator(classifier.device(), static_cast<std::uint64_t>(options.noise_seed));
  std::vector<float> logits(view.size() * width);
  for (const auto& rows :
       evaluation_batches(view, options.batch_size, evaluation_batch_tokens(classifier))) {
    throw_if_stopped();
    const Batch batch = make_batch(pack_rows(*view.data, rows), classifier.device());
    const at::Tensor own = predict_logits(classifier, batch, context, options.precision);
    for (std::size_t i = 0; i < rows.size(); ++i)
      std::copy_n(own.const_data_ptr<float>() + i * width, width,
                  &logits[place_of.at(rows[i]) * width]);
  }
  return logits;
}

/// Gives the rows of `logits` that are not finite others, by which each is answered wrongly, and
/// returns which they are.
std::vector<std::size_t> answer_wrongly(const Gold& gold, std::vector<float>& logits) {
  constexpr float kSure = 1e4F;
  const auto width = static_cast<std::size_t>(gold.classes);
  std::vector<std::size_t> overflowed;
  for (std::size_t row = 0; row < gold.size(); ++row) {
    const std::span<float> own = std::span(logits).subspan(row * width, width);
    if (std::ranges::all_of(own, [](float logit) { return std::isfinite(logit); })) continue;
    overflowed.push_back(row);
    for (std::size_t c = 0; c < width; ++c) {
      const bool right = gold.several ? gold.row(row)[c] != 0 : std::cmp_equal(c, gold.labels[row]);
      own[c] = right ? -kSure : kSure;
    }
  }
  return overflowed;
}

/// Whether two evaluations of the same rows answer row `row` alike.
bool answers_alike(const Evaluation& one, const Evaluation& other, std::size_t row,
                   std::size_t width) {
  const auto part = [&](const auto& values) {
    return std::span(values).subspan(row * width, width);
  };
  if (one.several && other.several)
    return std::ranges::equal(part(one.several->answers), part(other.several->answers));
  const auto best = [&](const Evaluation& evaluation) {
    const auto logits = part(evaluation.logits);
    return std::ranges::max_element(logits) - logits.begin();
  };
  return best(one) == best(other);
}

}  // namespace

std::optional<PrecisionDifference> compare_overflowed(const Evaluation& reference,
                                                      Classifier& classifier,
                                                      const DatasetView& view,
                                                      const EvaluationOptions& options,
                                                      Precision wanted) {
  const double start_s = steady_now_s();
  std::vector<float> logits = network_logits(classifier, view, options);
  const double time_s = steady_now_s() - start_s;
  const std::vector<std::size_t> overflowed =
      answer_wrongly(gold_of(view, options.class_count), logits);
  if (overflowed.empty()) return std::nullopt;
  Evaluation evaluation =
      evaluate_logits(std::move(logits), view, options, !classifier.parameters().empty());
  evaluation.examples_per_s = static_cast<double>(view.size()) / time_s;
  PrecisionDifference difference = compare_precision(reference, evaluation, wanted);
  difference.largest_logit_error = std::numeric_limits<double>::infinity();
  difference.mean_logit_error = std::numeric_limits<double>::infinity();
  const auto width = static_cast<std::size_t>(options.class_count);
  difference.flipped_labels += std::ranges::count_if(overflowed, [&](std::size_t row) {
    return answers_alike(reference, evaluation, row, width);
  });
  return difference;
}

}  // namespace diffuse::cli
