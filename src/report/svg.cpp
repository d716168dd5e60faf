#include "report/svg.hpp"

#include <fmt/core.h>

#include <array>
#include <cmath>

#include "diffuse/base/progress.hpp"
#include "diffuse/base/text_util.hpp"
#include "report/html.hpp"

namespace diffuse {
namespace {

constexpr std::size_t kLongestName = 40;
constexpr double kLegendRow = 18;
constexpr double kSwatchWidth = 20;

std::string swatch_of(Swatch swatch, std::size_t index, double x, double y) {
  const std::size_t colour = index % kChartColours;
  if (swatch == Swatch::box)
    return svg_rect({x + 4, y - 10, x + 15, y + 1}, fmt::format("fill s{}", colour), "");
  if (swatch == Swatch::rule) return svg_line(x + 13, y - 11, x + 13, y + 3, "rule");
  std::string mark;
  if (swatch == Swatch::marked_line)
    mark = fmt::format("<path class=\"mark\" d=\"{}\"/>", marker_path(index, x + 8, y - 4));
  return fmt::format("<g class=\"s{}\"><path class=\"curve\" d=\"M{} {}h16\"/>{}</g>", colour,
                     coordinate(x), coordinate(y - 4), mark);
}

}  // namespace

std::string coordinate(double value) {
  std::string text = fmt::format("{:.1f}", value);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text == "-0" ? "0" : text;
}

std::string figure_text(double value) {
  if (!std::isfinite(value)) return "n/a";
  const double size = std::abs(value);
  if (size >= 1000 && size < 1e15) return format_count(std::llround(value));
  if (size == 0 || (size >= 1e-3 && size < 1000)) return fmt::format("{:.4g}", value);
  std::string text = fmt::format("{:.3g}", value);
  // C writes two digits of exponent at least.
  if (const std::size_t e = text.find('e'); e != std::string::npos && text[e + 2] == '0')
    text.erase(e + 2, 1);
  return text;
}

double text_width(std::string_view text, double font_size) {
  return 0.56 * font_size * static_cast<double>(display_width(text));
}

std::string svg_text(double x, double y, std::string_view anchor, std::string_view style,
                     std::string_view text) {
  return fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"{}\" class=\"{}\">{}</text>",
                     coordinate(x), coordinate(y), anchor, style, html_text(text));
}

std::string svg_line(double x1, double y1, double x2, double y2, std::string_view style) {
  return fmt::format("<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" class=\"{}\"/>", coordinate(x1),
                     coordinate(y1), coordinate(x2), coordinate(y2), style);
}

std::string svg_title(std::span<const std::string> lines) {
  std::string out = "<title>";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) out += '\n';
    out += html_text(lines[i]);
  }
  return out + "</title>";
}

std::string svg_rect(const Frame& frame, std::string_view style, std::string_view title) {
  return fmt::format(
      "<rect x=\"{}\" y=\"{}\" width=\"{:.2f}\" height=\"{:.2f}\" class=\"{}\">{}</rect>",
      coordinate(frame.left), coordinate(frame.top), frame.right - frame.left,
      frame.bottom - frame.top, style, title);
}

std::string marker_path(std::size_t index, double x, double y, double size) {
  const double r = size / 2;
  switch (index % 4) {
    case 0:
      return fmt::format("M{0} {1}a{2} {2} 0 1 0 {3} 0a{2} {2} 0 1 0 -{3} 0z", coordinate(x - r),
                         coordinate(y), coordinate(r), coordinate(size));
    case 1:
      return fmt::format("M{} {}h{}v{}h-{}z", coordinate(x - r), coordinate(y - r),
                         coordinate(size), coordinate(size), coordinate(size));
    case 2:
      return fmt::format("M{} {}L{} {}L{} {}z", coordinate(x), coordinate(y - 1.2 * r),
                         coordinate(x + 1.15 * r), coordinate(y + r), coordinate(x - 1.15 * r),
                         coordinate(y + r));
    default:
      return fmt::format("M{} {}L{} {}L{} {}L{} {}z", coordinate(x), coordinate(y - 1.3 * r),
                         coordinate(x + 1.3 * r), coordinate(y), coordinate(x),
                         coordinate(y + 1.3 * r), coordinate(x - 1.3 * r), coordinate(y));
  }
}

std::string begin_chart(std::string_view title, double width, double height) {
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" role=\"img\" "
      "aria-label=\"{0}\" viewBox=\"0 0 {1} {2}\" width=\"{1}\" height=\"{2}\">{3}",
      html_text(title), coordinate(width), coordinate(height),
      svg_text(4, 17, "start", "title", title));
}

std::string chart_legend(std::span<const LegendEntry> entries, Frame& frame) {
  if (entries.size() < 2) return "";
  std::string out;
  double x = frame.left;
  double y = frame.top + 12;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::string shown = printable(entries[i].name, kLongestName);
    const double width = kSwatchWidth + text_width(shown) + 14;
    if (x > frame.left && x + width > frame.right) {
      x = frame.left;
      y += kLegendRow;
    }
    out += "<g>";
    if (shown != entries[i].name)
      out += fmt::format("<title>{}</title>", html_text(entries[i].name));
    out += swatch_of(entries[i].swatch, i, x, y);
    out += svg_text(x + kSwatchWidth, y, "start", "label", shown);
    out += "</g>";
    x += width;
  }
  frame.top = y + 8;
  return out;
}

}  // namespace diffuse
