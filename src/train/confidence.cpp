#include "diffuse/train/confidence.hpp"

#include <optional>
#include <system_error>
#include <vector>

#include "diffuse/base/files.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/eval/coverage.hpp"
#include "diffuse/eval/temperature.hpp"
#include "diffuse/model/checkpoint.hpp"
#include "diffuse/model/label_thresholds.hpp"

namespace diffuse {

Confidence confidence_of(const Evaluation& validation, const Labels& labels) {
  Confidence confidence;
  if (const std::optional<LabelFigures>& several = validation.metrics.labels) {
    confidence.thresholds = thresholds_json(several->thresholds, labels);
    return confidence;
  }
  const std::int64_t classes = labels.size();
  std::vector<CoveragePoint> curve;
  if (validation.branches) {
    curve = coverage_curve(validation.probabilities, validation.gold, classes);
  } else {
    confidence.temperature = fit_temperature(validation.logits, validation.gold, classes);
    log::debug("temperature {:.3g}", confidence.temperature);
    curve = coverage_curve(
        answered_at(validation.logits, validation.gold, classes, confidence.temperature));
  }
  confidence.coverage = coverage_json(curve, std::ssize(validation.gold));
  return confidence;
}

void save_confidence(const std::filesystem::path& folder, const Confidence& confidence) {
  if (confidence.temperature != 1) save_temperature(folder, confidence.temperature);
  if (!confidence.coverage.empty())
    write_file_atomically(folder / kCoverageFile, confidence.coverage);
  if (!confidence.thresholds.empty())
    write_file_atomically(folder / kThresholdsFile, confidence.thresholds);
}

Confidence read_confidence(const std::filesystem::path& folder) {
  Confidence confidence{.temperature = read_temperature(folder)};
  const auto read_if_there = [&](const char* name, std::string& to) {
    std::error_code ignored;
    if (std::filesystem::exists(folder / name, ignored)) to = read_file(folder / name);
  };
  read_if_there(kCoverageFile, confidence.coverage);
  read_if_there(kThresholdsFile, confidence.thresholds);
  return confidence;
}

}  // namespace diffuse
