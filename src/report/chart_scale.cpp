#include "report/chart_scale.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "diffuse/base/progress.hpp"

namespace diffuse {
namespace {

// Rounding must not lose the tick at an end.
constexpr double kSlack = 1e-9;
constexpr double kTickHeight = 13;  // of a label in pixels

/// The step of 1, 2 or 5 times a power of ten that gives at most about `wanted` ticks.
double nice_step(double range, double wanted) {
  const double raw = range / std::max(wanted, 1.0);
  const double power = std::pow(10, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= raw * (1 - kSlack)) return factor * power;
  }
  return 10 * power;
}

struct Suffix {
  double unit;
  const char* text;
};

/// `thousands`: the value from which on they are written as k.
Suffix suffix_of(double largest, double thousands) {
  if (largest >= 1e13 || largest < thousands) return {1, ""};
  if (largest >= 1e9) return {1e9, "G"};
  if (largest >= 1e6) return {1e6, "M"};
  return {1e3, "k"};
}

std::string linear_label(double value, double step, double largest) {
  if (value == 0) return "0";
  if (largest < 1e-3 || largest >= 1e13) {
    // One exponent for the whole axis.
    const double exponent = std::floor(std::log10(largest) + kSlack);
    return fmt::format("{:.3g}e{:.0f}", value / std::pow(10, exponent), exponent);
  }
  const auto [unit, text] = suffix_of(largest, 1e4);
  const int decimals = std::max(0, static_cast<int>(std::ceil(-std::log10(step / unit) - kSlack)));
  if (decimals == 0 && unit == 1) return format_count(std::llround(value));
  return fmt::format("{:.{}f}{}", value / unit, std::min(decimals, 12), text);
}

std::string logarithmic_label(double value) {
  const auto [unit, text] = suffix_of(value, 1e3);
  const double shown = value / unit;
  if (shown >= 1e4 || shown < 9e-4) return figure_text(shown);
  return fmt::format("{:.3g}{}", shown, text);
}

}  // namespace

ChartScale::ChartScale(const ChartAxis& axis, double low, double high, bool whole_ticks,
                       double wanted)
    : logarithmic_(axis.scale == Scale::logarithmic), low_(low), high_(high) {
  if (!logarithmic_ && axis.from_zero) {
    low_ = std::min(low_, 0.0);
    high_ = std::max(high_, 0.0);
  }
  // A single value, or one that differs by rounding only, still needs an axis around it.
  if (high_ - low_ <= 1e-12 * std::max(std::abs(low_), std::abs(high_))) {
    const double around = low_ == 0 ? 1 : 0.1 * std::abs(low_);
    low_ = low_ == 0 && axis.from_zero ? 0 : low_ - around;
    high_ += around;
  }
  if (logarithmic_) {
    add_logarithmic_ticks(whole_ticks, wanted);
  } else {
    add_linear_ticks(whole_ticks, wanted);
  }
}

void ChartScale::add_linear_ticks(bool whole_ticks, double wanted) {
  const double step = nice_step(high_ - low_, wanted);
  if (whole_ticks) {
    low_ = step * std::floor(low_ / step + kSlack);
    high_ = step * std::ceil(high_ / step - kSlack);
  }
  const double first = std::ceil(low_ / step - kSlack);
  const double last = std::floor(high_ / step + kSlack);
  const double largest = std::max(std::abs(low_), std::abs(high_));
  const auto count = static_cast<int>(last - first) + 1;  // about `wanted`
  for (int i = 0; i < count; ++i) {
    const double value = (first + i) * step;
    ticks_.push_back({value, linear_label(value, step, largest)});
  }
}

void ChartScale::add_logarithmic_ticks(bool whole_ticks, double wanted) {
  static constexpr std::array<double, 9> kDigits = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  const double decades = std::log10(high_ / low_);
  const bool labelled_between = decades < 1.7;
  if (whole_ticks) {
    const auto power = [](double value) { return std::pow(10, std::floor(std::log10(value))); };
    const double below = power(low_ * (1 + kSlack));
    const double above = power(high_ * (1 - kSlack));
    const double low_digit = std::floor(low_ / below + kSlack);
    const double high_digit = std::ceil(high_ / above - kSlack);
    low_ = below * (labelled_between ? low_digit : 1);
    high_ = above * (labelled_between ? high_digit : 10);
  }
  const auto first = static_cast<int>(std::floor(std::log10(low_)));
  const auto last = static_cast<int>(std::ceil(std::log10(high_)));
  const int every =
      std::max(1, static_cast<int>(std::ceil((last - first) / std::max(wanted, 1.0))));
  for (int exponent = first; exponent <= last; ++exponent) {
    for (const double digit : kDigits) {
      const double value = digit * std::pow(10, exponent);
      if (value < low_ * (1 - kSlack) || value > high_ * (1 + kSlack)) continue;
      const bool named = digit == 1
                             ? (exponent - first) % every == 0
                             : labelled_between && (digit == 2 || digit == 5 || decades < 0.5);
      if (digit != 1 && decades > 4) continue;
      ticks_.push_back({value, named ? logarithmic_label(value) : ""});
    }
  }
}

void ChartScale::set_pixels(double from, double to) {
  from_ = from;
  to_ = to;
}

double ChartScale::place(double value) const {
  const double share = logarithmic_ ? std::log(value / low_) / std::log(high_ / low_)
                                    : (value - low_) / (high_ - low_);
  return from_ + share * (to_ - from_);
}

double ChartScale::label_width() const {
  double widest = 0;
  for (const Tick& tick : ticks_) widest = std::max(widest, text_width(tick.label, 11));
  return widest;
}

std::string draw_y_axis(const ChartScale& y, const std::string& x_label, const std::string& y_label,
                        const Frame& frame) {
  std::string out;
  double free_below = 1e9;
  for (const Tick& tick : y.ticks()) {
    const double at = y.place(tick.value);
    out += svg_line(frame.left, at, frame.right, at, tick.label.empty() ? "grid faint" : "grid");
    // On a logarithmic axis the ticks crowd together towards the next power.
    if (tick.label.empty() || at > free_below) continue;
    out += svg_text(frame.left - 7, at + 4, "end", "tick", tick.label);
    free_below = at - kTickHeight;
  }
  out += svg_line(frame.left, frame.bottom, frame.right, frame.bottom, "axis");
  out += svg_text(4, frame.top - 12, "start", "axis-label", y_label);
  out +=
      svg_text((frame.left + frame.right) / 2, frame.bottom + 36, "middle", "axis-label", x_label);
  return out;
}

std::string draw_axes(const ChartScale& x, const ChartScale& y, const std::string& x_label,
                      const std::string& y_label, const Frame& frame) {
  std::string out = draw_y_axis(y, x_label, y_label, frame);
  double free_from = -1e9;
  for (const Tick& tick : x.ticks()) {
    const double at = x.place(tick.value);
    if (tick.label.empty()) {
      out += svg_line(at, frame.top, at, frame.bottom, "grid faint");
      continue;
    }
    out += svg_line(at, frame.bottom, at, frame.bottom + 5, "axis");
    const double half = text_width(tick.label, 11) / 2;
    if (at - half < free_from) continue;
    out += svg_text(at, frame.bottom + 18, "middle", "tick", tick.label);
    free_from = at + half + 6;
  }
  return out;
}

}  // namespace diffuse
