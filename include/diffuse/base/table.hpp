#pragma once

#include <string>
#include <vector>

namespace diffuse {

/// A table of text with aligned columns.
class Table {
 public:
  enum class Align { left, right };

  explicit Table(std::vector<std::string> header, std::vector<Align> align);
  void add_row(std::vector<std::string> cells);
  /// Columns separated by two blanks, no rules, no trailing blanks; widths counted in code points.
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
  std::vector<Align> align_;
};

}  // namespace diffuse
