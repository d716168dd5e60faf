#include "documents.hpp"

#include <algorithm>

namespace diffuse {

std::string allowed_with_unit(const Field& field) {
  return field.unit.empty() ? field.allowed() : field.allowed() + "; " + field.unit;
}

std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
  std::vector<std::string> lines;
  std::string line;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    if (!line.empty() && line.size() + 1 + word.size() > width) {
      lines.push_back(std::move(line));
      line.clear();
    }
    if (!line.empty()) line += ' ';
    line += word;
    text.remove_prefix(std::min(text.size(), word.size() + 1));
  }
  if (!line.empty()) lines.push_back(std::move(line));
  return lines;
}

}  // namespace diffuse
