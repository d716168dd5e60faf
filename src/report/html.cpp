#include "report/html.hpp"

#include "diffuse/base/text_util.hpp"

namespace diffuse {

std::string html_text(std::string_view text, std::size_t max_length) {
  std::string out;
  for (const char c : printable(text, max_length)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace diffuse
