#include <fmt/core.h>

#include <algorithm>

#include "diffuse/base/progress.hpp"
#include "diffuse/report/svg_chart.hpp"
#include "report/chart_scale.hpp"
#include "report/svg.hpp"

namespace diffuse {
namespace {

constexpr double kWidth = 440;
constexpr double kHeight = 470;
constexpr double kShareTop = 366;  // where the lower plot begins
constexpr double kGap = 1.5;       // between neighbouring bars

struct Bar {
  double low = 0;
  double high = 0;
  const CalibrationBin* bin = nullptr;
  double share = 0;
};

std::vector<Bar> bars_of(std::span<const CalibrationBin> bins) {
  double rows = 0;
  for (const CalibrationBin& bin : bins) rows += static_cast<double>(bin.count);
  std::vector<Bar> bars;
  for (std::size_t i = 0; i < bins.size(); ++i) {
    if (bins[i].count == 0 || !bins[i].accuracy || !bins[i].mean_confidence) continue;
    const auto count = static_cast<double>(bins.size());
    bars.push_back({static_cast<double>(i) / count, static_cast<double>(i + 1) / count, &bins[i],
                    static_cast<double>(bins[i].count) / rows});
  }
  return bars;
}

std::string tooltip(const Bar& bar) {
  return svg_title(std::vector<std::string>{
      fmt::format("confidence {:.1f} to {:.1f} %", 100 * bar.low, 100 * bar.high),
      fmt::format("rows: {} ({:.1f} %)", format_count(bar.bin->count), 100 * bar.share),
      fmt::format("mean confidence: {:.2f} %", 100 * *bar.bin->mean_confidence),
      fmt::format("accuracy: {:.2f} %", 100 * *bar.bin->accuracy)});
}

ChartScale percent_scale(double high, double wanted) {
  return {{"", Scale::linear, true}, 0, 100 * high, true, wanted};
}

}  // namespace

std::string reliability_diagram_svg(std::span<const CalibrationBin> bins) {
  const std::vector<Bar> bars = bars_of(bins);
  std::string out = begin_chart("Calibration", kWidth, kHeight);
  if (bars.empty())
    return out + svg_text(kWidth / 2, kHeight / 2, "middle", "label", "no values to show") +
           "</svg>";
  double largest_share = 0;
  for (const Bar& bar : bars) largest_share = std::max(largest_share, bar.share);

  Frame upper{4, 26, kWidth - 18, kShareTop - 50};
  out += chart_legend(std::vector<LegendEntry>{{"accuracy in the bin", Swatch::box},
                                               {"mean confidence in the bin", Swatch::box}},
                      upper);
  upper.top += 26;
  upper.left = 46;
  const Frame lower{upper.left, kShareTop, upper.right, kHeight - 44};
  ChartScale x = percent_scale(1, 5);
  ChartScale accuracy = percent_scale(1, 5);
  ChartScale share = percent_scale(largest_share, 2);
  x.set_pixels(upper.left, upper.right);
  accuracy.set_pixels(upper.bottom, upper.top);
  share.set_pixels(lower.bottom, lower.top);
  out += draw_y_axis(accuracy, "", "accuracy (%)", upper);
  out += draw_axes(x, share, "confidence (%)", "share of the rows (%)", lower);
  for (const Bar& bar : bars) {
    const double left = x.place(100 * bar.low) + kGap / 2;
    const double right = x.place(100 * bar.high) - kGap / 2;
    const std::string text = tooltip(bar);
    out += svg_rect({left, accuracy.place(100 * *bar.bin->accuracy), right, upper.bottom},
                    "fill s0", text);
    const double mean = accuracy.place(100 * *bar.bin->mean_confidence);
    out += svg_rect({left, mean - 1.5, right, mean + 1.5}, "fill s1", text);
    out += svg_rect({left, share.place(100 * bar.share), right, lower.bottom}, "fill s6", text);
  }
  out += svg_line(upper.left, upper.bottom, upper.right, upper.top, "ideal");
  return out + "</svg>";
}

}  // namespace diffuse
