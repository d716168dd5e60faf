#include "substitute.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "diffuse/base/text_util.hpp"

namespace diffuse {
namespace {

bool is_variable_name(std::string_view name) {
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0 &&
         std::all_of(name.begin(), name.end(), [](unsigned char letter) {
           return std::isalnum(letter) != 0 || letter == '_';
         });
}

/// `text` with `to` for each `from`.
std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t found = text.find(from, at);
    result += text.substr(at, found - at);
    if (found == std::string_view::npos) break;
    result += to;
    at = found + from.size();
  }
  return result;
}

}  // namespace

std::string escape_variables(std::string_view text) { return replaced(text, "${", "$${"); }
std::string unescape_variables(std::string_view text) { return replaced(text, "$${", "${"); }

Substituted substitute_environment(std::string_view text) {
  Substituted result;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t open = text.find("${", at);
    if (open == std::string_view::npos) break;
    if (open > at && text[open - 1] == '$') {
      result.text += text.substr(at, open - at - 1);
      result.text += "${";
      at = open + 2;
      continue;
    }
    result.text += text.substr(at, open - at);
    const std::size_t close = text.find('}', open);
    if (close == std::string_view::npos) {
      result.problem = fmt::format(
          "\"{}\": \"${{\" without \"}}\"; a plain \"${{\" is written \"$${{\"", printable(text));
      return result;
    }
    const std::string_view inside = text.substr(open + 2, close - open - 2);
    const std::size_t dash = inside.find(":-");
    const std::string name(inside.substr(0, dash));
    const bool has_default = dash != std::string_view::npos;
    const std::string_view fallback = has_default ? inside.substr(dash + 2) : "";
    if (!is_variable_name(name) || fallback.find("${") != std::string_view::npos) {
      result.problem = fmt::format(
          "\"{}\": expected ${{VARIABLE}} or ${{VARIABLE:-default}}, the default without variables",
          printable(text));
      return result;
    }
    const char* value = std::getenv(name.c_str());
    if (value == nullptr && !has_default) {
      result.problem = fmt::format(
          "\"{}\": the environment variable {} is not set; set it, or write ${{{}:-default}}",
          printable(text), printable(name), printable(name));
      return result;
    }
    const bool from_environment = value != nullptr && (value[0] != '\0' || !has_default);
    if (from_environment && value[0] != '\0' && result.text.empty()) {
      result.begins_in_environment = true;
    }
    result.text += from_environment ? std::string_view(value) : fallback;
    at = close + 1;
  }
  result.text += text.substr(at);
  return result;
}

}  // namespace diffuse
