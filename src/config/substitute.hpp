#pragma once

#include <string>
#include <string_view>

namespace diffuse {

struct Substituted {
  std::string text;
  /// Whether the text begins with a value taken from the environment: a relative path then counts
  /// from the working directory, not from the file's folder.
  bool begins_in_environment = false;
  std::string problem;  ///< empty, or what is wrong
};

/// Replaces `${VAR}` and `${VAR:-default}` (the default also where VAR is empty, as in a shell) by
/// the environment; `$${` is a plain `${`. A text without `${` is returned as it is.
Substituted substitute_environment(std::string_view text);

/// `text` with `$${` for every `${`, so that it stands for itself; and back.
std::string escape_variables(std::string_view text);
std::string unescape_variables(std::string_view text);

}  // namespace diffuse
