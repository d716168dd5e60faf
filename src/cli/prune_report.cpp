#include "prune_report.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <vector>

#include "diffuse/base/progress.hpp"

namespace diffuse::cli {
namespace {

using Json = nlohmann::ordered_json;

/// Rows whose answer is another one.
std::int64_t changed_answers(const Evaluation& before, const Evaluation& after) {
  const std::size_t rows = before.rows.size();
  const std::size_t classes = before.probabilities.size() / rows;
  const auto count = [&](const auto& a, const auto& b, std::size_t width) {
    std::int64_t changed = 0;
    for (std::size_t i = 0; i < rows; ++i) {
      const auto first = a.begin() + static_cast<std::ptrdiff_t>(i * width);
      changed += std::equal(first, first + static_cast<std::ptrdiff_t>(width),
                            b.begin() + static_cast<std::ptrdiff_t>(i * width))
                     ? 0
                     : 1;
    }
    return changed;
  };
  if (before.several) return count(before.several->answers, after.several->answers, classes);
  const auto width = static_cast<std::int64_t>(classes);
  return count(predicted_classes(before.probabilities, width),
               predicted_classes(after.probabilities, width), 1);
}

std::string factors_text(const BranchFactors& factors, bool network) {
  if (!network) return fmt::format("n-grams {:.3g}", factors.ngrams);
  return fmt::format("network {:.3g}, n-grams {:.3g}", factors.network, factors.ngrams);
}

std::string size_text(std::uintmax_t bytes) { return format_bytes(static_cast<double>(bytes)); }

Json state_json(const PruneState& state) {
  Json json = {{"ngrams", state.ngrams},
               {"ngram_bytes", state.ngram_bytes},
               {"checkpoint_bytes", state.checkpoint_bytes},
               {"network_factor", state.factors.network},
               {"ngram_factor", state.factors.ngrams}};
  if (!state.evaluation) return json;
  const Metrics& metrics = state.evaluation->metrics;
  json["accuracy"] = metrics.accuracy;
  if (metrics.labels)
    json["micro_f1"] = metrics.labels->micro_f1 ? Json(*metrics.labels->micro_f1) : Json();
  json["mean_loss"] = metrics.mean_loss;
  json["ece"] = metrics.ece;
  return json;
}

}  // namespace

std::string prune_text(const PruneReport& report) {
  const PruneState& before = report.before;
  const PruneState& after = report.after;
  std::string text =
      fmt::format("n-grams     {} of {}", format_count(after.ngrams), format_count(before.ngrams));
  if (report.trained_rows > 0)
    text += fmt::format(", trained anew on {} rows", format_count(report.trained_rows));
  text += report.int8 ? ", weights of a byte\n" : ", weights in float32\n";
  text += fmt::format("size        n-grams {} (before: {}), all files {} (before: {})\n",
                      size_text(after.ngram_bytes), size_text(before.ngram_bytes),
                      size_text(after.checkpoint_bytes), size_text(before.checkpoint_bytes));
  text += fmt::format("factors     {} (before: {})\n", factors_text(after.factors, report.network),
                      factors_text(before.factors, report.network));
  if (before.evaluation && after.evaluation) {
    const Metrics& was = before.evaluation->metrics;
    const Metrics& is = after.evaluation->metrics;
    text += fmt::format("{}  {:.2f} % (before: {:.2f} %, {:+.2f} points)  n = {}, {}\n",
                        is.labels ? "all right " : "accuracy  ", 100 * is.accuracy,
                        100 * was.accuracy, 100 * (is.accuracy - was.accuracy),
                        format_count(is.count), report.measured_name);
    if (is.labels && is.labels->micro_f1 && was.labels->micro_f1)
      text += fmt::format("micro-F1    {:.4f} (before: {:.4f})\n", *is.labels->micro_f1,
                          *was.labels->micro_f1);
    text += fmt::format("mean loss   {:.4f} (before: {:.4f})\n", is.mean_loss, was.mean_loss);
    text += fmt::format("answers     {} of {} are others than before\n",
                        format_count(changed_answers(*before.evaluation, *after.evaluation)),
                        format_count(is.count));
  }
  return text + fmt::format("checkpoint  {}\n", report.checkpoint);
}

std::string prune_json(const PruneReport& report) {
  Json json = {{"checkpoint", report.checkpoint},     {"int8", report.int8},
               {"trained_rows", report.trained_rows}, {"measured", Json()},
               {"before", state_json(report.before)}, {"after", state_json(report.after)}};
  const auto& was = report.before.evaluation;
  if (was)
    json["measured"] = {{"name", report.measured_name},
                        {"rows", was->metrics.count},
                        {"changed_answers", changed_answers(*was, *report.after.evaluation)}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace diffuse::cli
