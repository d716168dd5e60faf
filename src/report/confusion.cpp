#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "diffuse/base/progress.hpp"
#include "diffuse/base/text_util.hpp"
#include "report/html.hpp"
#include "report/sections.hpp"

namespace diffuse {
namespace {

constexpr std::size_t kMostPairs = 20;
// Beyond these a column's name is written from bottom to top.
constexpr std::size_t kMostLevelColumns = 8;
constexpr std::size_t kLongestLevelName = 12;

double share(std::int64_t count, std::int64_t support) {
  return support == 0 ? 0 : static_cast<double>(count) / static_cast<double>(support);
}

std::string cell_html(const EvaluatedSet& set, std::size_t gold, std::size_t predicted) {
  const std::int64_t count = confused_rows(set.metrics, gold, predicted);
  const double part = share(count, set.metrics.classes[gold].support);
  const bool right = gold == predicted;
  if (count == 0)
    return fmt::format("<td{}>0</td>", right ? " class=\"right none\"" : " class=\"none\"");
  // The root makes rare confusions visible beside a diagonal of nearly 1.
  return fmt::format("<td class=\"{}\" style=\"--a:{:.2f}\" title=\"{}\">{}</td>",
                     right ? "right" : "wrong", 0.6 * (right ? part : std::sqrt(part)),
                     html_text(fmt::format("gold {}, predicted {}: {} rows, {:.1f} % of the gold "
                                           "class",
                                           set.labels[gold], set.labels[predicted],
                                           format_count(count), 100 * part)),
                     format_count(count));
}

std::string matrix_html(const EvaluatedSet& set) {
  const std::size_t classes = set.labels.size();
  const bool level = classes <= kMostLevelColumns &&
                     std::all_of(set.labels.begin(), set.labels.end(), [](const std::string& name) {
                       return display_width(name) <= kLongestLevelName;
                     });
  std::string out = fmt::format(
      "<h3>Confusion matrix</h3>\n<div class=\"scroll\"><table "
      "class=\"confusion{}\">\n<thead><tr><th "
      "scope=\"col\"><span class=\"corner\">gold ↓&#160; predicted →</span></th>",
      level ? "" : " upright");
  for (const std::string& name : set.labels)
    out += fmt::format("<th scope=\"col\" title=\"{0}\"><span class=\"name\">{0}</span></th>",
                       html_text(name));
  out += "</tr></thead>\n<tbody>\n";
  for (std::size_t gold = 0; gold < classes; ++gold) {
    out += fmt::format("<tr><th scope=\"row\" title=\"{0}\"><span class=\"name\">{0}</span></th>",
                       html_text(set.labels[gold]));
    for (std::size_t predicted = 0; predicted < classes; ++predicted)
      out += cell_html(set, gold, predicted);
    out += "</tr>\n";
  }
  return out +
         "</tbody>\n</table></div>\n<p class=\"note\">Shaded by the share of the row's gold class; "
         "confusions more strongly than right predictions.</p>\n";
}

std::string pairs_html(const EvaluatedSet& set) {
  const std::size_t classes = set.labels.size();
  const std::vector<ConfusionCell> cells = confusions(set.metrics);
  const std::string title = "<h3>Most frequent confusions</h3>\n";
  if (cells.empty()) return title + "<p class=\"note\">No two classes are confused.</p>\n";
  const std::size_t shown = std::min(kMostPairs, cells.size());
  std::string out = fmt::format(
      "{}<p class=\"note\">{} of {} pairs of classes are "
      "confused{}.</p>\n",
      title, format_count(static_cast<long long>(cells.size())),
      format_count(static_cast<long long>(classes * (classes - 1))),
      shown < cells.size() ? fmt::format("; the {} most frequent", shown) : "");
  out +=
      "<div class=\"scroll\"><table>\n<thead><tr><th scope=\"col\">gold</th><th "
      "scope=\"col\">predicted</th><th scope=\"col\" class=\"number\">rows</th><th scope=\"col\" "
      "class=\"number\">of the gold class</th></tr></thead>\n<tbody>\n";
  for (std::size_t i = 0; i < shown; ++i) {
    const auto gold = static_cast<std::size_t>(cells[i].gold);
    const double part = share(cells[i].rows, set.metrics.classes[gold].support);
    out += fmt::format(
        "<tr><td><bdi>{}</bdi></td><td><bdi>{}</bdi></td><td class=\"number\">{}</td>"
        "<td class=\"number\">{:.1f} %</td></tr>\n",
        html_text(set.labels[gold]),
        html_text(set.labels[static_cast<std::size_t>(cells[i].predicted)]),
        format_count(cells[i].rows), 100 * part);
  }
  return out + "</tbody>\n</table></div>\n";
}

}  // namespace

std::string confusion_html(const EvaluatedSet& set) {
  return set.labels.size() > kMostMatrixClasses ? pairs_html(set) : matrix_html(set);
}

}  // namespace diffuse
