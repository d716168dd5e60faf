#include "diffuse/base/table.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"

namespace diffuse {
Table::Table(std::vector<std::string> header, std::vector<Align> align) : align_(std::move(align)) {
  add_row(std::move(header));
}

void Table::add_row(std::vector<std::string> cells) {
  if (cells.size() != align_.size()) {
    throw Error(
        fmt::format("A row of {} cells in a table of {} columns.", cells.size(), align_.size()));
  }
  rows_.push_back(std::move(cells));
}

std::string Table::text() const {
  std::vector<std::size_t> widths(align_.size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t c = 0; c < row.size(); ++c)
      widths[c] = std::max(widths[c], display_width(row[c]));
  }
  const bool has_header = std::any_of(rows_.front().begin(), rows_.front().end(),
                                      [](const std::string& cell) { return !cell.empty(); });
  std::string out;
  for (std::size_t r = has_header ? 0 : 1; r < rows_.size(); ++r) {
    std::string line;
    for (std::size_t c = 0; c < align_.size(); ++c) {
      const std::string& cell = rows_[r][c];
      const std::string padding(widths[c] - display_width(cell), ' ');
      if (c > 0) line += "  ";
      line += align_[c] == Align::left ? cell + padding : padding + cell;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace diffuse
