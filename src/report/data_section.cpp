#include <fmt/core.h>

#include <string>

#include "diffuse/base/progress.hpp"
#include "report/html.hpp"
#include "report/sections.hpp"

namespace diffuse {
namespace {

std::string number_cell(const std::string& text) {
  return fmt::format("<td class=\"number\">{}</td>", text);
}

std::string share_cell(double share) { return number_cell(fmt::format("{:.1f} %", 100 * share)); }

std::string part_row(const PartSummary& part) {
  return fmt::format("<tr><th scope=\"row\">{}</th>{}{}{}{}{}{}{}</tr>\n", html_text(part.name),
                     number_cell(format_count(part.rows)), number_cell(format_count(part.tokens)),
                     share_cell(part.unknown_share()), number_cell(format_count(part.cut.rows)),
                     share_cell(part.unread_share()), number_cell(format_count(part.bad_rows)),
                     number_cell(part.training_rows ? format_count(*part.training_rows) : ""));
}

}  // namespace

std::string data_html(const TrainingReport& report) {
  std::string rows;
  for (const PartSummary& part : report.parts) {
    if (part.rows > 0) rows += part_row(part);
  }
  if (rows.empty()) return "";
  std::string out = "<section>\n<h2>Data</h2>\n";
  for (const DataNote& note : report.notes)
    out += fmt::format("<p class=\"{}\">{}</p>\n", note.warning ? "alarm" : "note",
                       html_text(note.text));
  out +=
      "<div class=\"card\"><div class=\"scroll\"><table>\n<thead><tr><th scope=\"col\">part</th>";
  for (const char* name : {"rows", "tokens", "unknown words", "texts cut", "tokens unread",
                           "bad rows left out", "also in training"})
    out += fmt::format("<th scope=\"col\" class=\"number\">{}</th>", name);
  return out + "</tr></thead>\n<tbody>\n" + rows + "</tbody>\n</table></div></div>\n</section>\n";
}

}  // namespace diffuse
