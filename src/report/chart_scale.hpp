#pragma once

#include <string>
#include <vector>

#include "diffuse/report/svg_chart.hpp"
#include "report/svg.hpp"

namespace diffuse {

struct Tick {
  double value = 0;
  std::string label;  ///< empty: a grid line without a label
};

/// From values to pixels along one axis.
class ChartScale {
 public:
  /// For values from `low` to `high` (both finite, both positive on a logarithmic axis). With
  /// `whole_ticks` the ends are moved outwards to a tick. About `wanted` labelled ticks.
  ChartScale(const ChartAxis& axis, double low, double high, bool whole_ticks, double wanted);

  /// Gives the ends their pixels; `from` belongs to the lower one.
  void set_pixels(double from, double to);
  double place(double value) const;
  const std::vector<Tick>& ticks() const { return ticks_; }
  /// Width of the widest label in pixels.
  double label_width() const;

 private:
  void add_linear_ticks(bool whole_ticks, double wanted);
  void add_logarithmic_ticks(bool whole_ticks, double wanted);

  bool logarithmic_;
  double low_;
  double high_;
  double from_ = 0;
  double to_ = 1;
  std::vector<Tick> ticks_;
};

/// Grid lines, axis lines, tick labels and the axes' labels around `frame`.
std::string draw_axes(const ChartScale& x, const ChartScale& y, const std::string& x_label,
                      const std::string& y_label, const Frame& frame);

/// The same without ticks on the x axis, for bars, which have labels of their own.
std::string draw_y_axis(const ChartScale& y, const std::string& x_label, const std::string& y_label,
                        const Frame& frame);

}  // namespace diffuse
