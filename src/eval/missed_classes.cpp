#include "diffuse/eval/missed_classes.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "diffuse/base/progress.hpp"
#include "diffuse/base/text_util.hpp"

namespace diffuse {

std::vector<std::int32_t> missed_classes(const Metrics& metrics) {
  std::vector<std::int32_t> missed;
  for (std::size_t c = 0; c < metrics.classes.size(); ++c)
    if (metrics.classes[c].support > 0 && metrics.classes[c].recall == 0.0)
      missed.push_back(static_cast<std::int32_t>(c));
  std::stable_sort(missed.begin(), missed.end(), [&](std::int32_t a, std::int32_t b) {
    return metrics.classes[static_cast<std::size_t>(a)].support >
           metrics.classes[static_cast<std::size_t>(b)].support;
  });
  return missed;
}

std::string missed_classes_text(const Metrics& metrics, std::span<const std::string> labels,
                                const std::string& name) {
  constexpr std::size_t kShown = 10;
  const std::vector<std::int32_t> missed = missed_classes(metrics);
  if (missed.empty()) return "";
  std::vector<std::string> shown;
  for (std::size_t i = 0; i < std::min(kShown, missed.size()); ++i) {
    const auto c = static_cast<std::size_t>(missed[i]);
    const ClassMetrics& figures = metrics.classes[c];
    shown.push_back(fmt::format(
        "\"{}\" ({} row{}, {})", printable(labels[c]), format_count(figures.support),
        figures.support == 1 ? "" : "s",
        figures.predicted == 0
            ? "never predicted"
            : fmt::format("predicted {} time{}, always wrongly", format_count(figures.predicted),
                          figures.predicted == 1 ? "" : "s")));
  }
  if (missed.size() > kShown)
    shown.push_back(
        fmt::format("and {} more", format_count(std::ssize(missed) - std::ssize(shown))));
  const auto with_rows =
      std::ranges::count_if(metrics.classes, [](const auto& c) { return c.support > 0; });
  return fmt::format("{} of {} classes with {} rows {} never answered right: {}",
                     format_count(std::ssize(missed)), format_count(with_rows), name,
                     missed.size() == 1 ? "is" : "are", join(shown, ", "));
}

}  // namespace diffuse
