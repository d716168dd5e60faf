#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace diffuse {

/// Colours before they repeat; `s0` to `s7` are the classes of the style sheet.
inline constexpr std::size_t kChartColours = 8;

/// A rectangle of the drawing, in its pixels; y grows downwards.
struct Frame {
  double left = 0;
  double top = 0;
  double right = 0;
  double bottom = 0;
};

/// A coordinate with one decimal, without trailing zeros.
std::string coordinate(double value);

/// A figure for a tooltip: "6,760", "0.3412", "2.5e-5".
std::string figure_text(double value);

/// An estimate, on the wide side, of the width that `text` takes in `font_size` pixels.
double text_width(std::string_view text, double font_size = 12);

/// A text element; `anchor` is start, middle or end, `text` is not escaped yet.
std::string svg_text(double x, double y, std::string_view anchor, std::string_view style,
                     std::string_view text);

std::string svg_line(double x1, double y1, double x2, double y2, std::string_view style);

/// A tooltip of several lines, not escaped yet, as the element that goes into its shape.
std::string svg_title(std::span<const std::string> lines);

/// A rectangle with `title`, which is empty or of `svg_title`.
std::string svg_rect(const Frame& frame, std::string_view style, std::string_view title);

/// The form of series `index`'s marker, about `size` pixels wide, as the `d` of a path.
std::string marker_path(std::size_t index, double x, double y, double size = 7);

/// The opening tag, the accessible name and the title line.
std::string begin_chart(std::string_view title, double width, double height);

enum class Swatch { line, marked_line, box, rule };

struct LegendEntry {
  std::string name;
  Swatch swatch = Swatch::line;
};

/// The legend's rows, wrapped to the frame's width, from `frame.top` on; moves `frame.top` below
/// them. Nothing for a single entry.
std::string chart_legend(std::span<const LegendEntry> entries, Frame& frame);

}  // namespace diffuse
