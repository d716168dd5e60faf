#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "diffuse/explain/explanation.hpp"

namespace diffuse::cli {

/// An explanation as it is written: its `most` first parts, and the others as one.
struct ShownExplanation {
  const Explanation& explanation;
  std::string_view text;  ///< that is explained
  std::size_t most = 10;
};

/// For people: a line for each part, indented by two blanks; what is left at the end.
void add_explanation_lines(const ShownExplanation& shown, std::string& out);

/// One cell of a TSV line: "oil +1.234; oil prices +0.913".
void add_explanation_cell(const ShownExplanation& shown, std::string& out);

/// A JSON object; `label` is the class as JSON. Places are in code points of its own member "text",
/// and logit = baseline + the contributions + others + error.
void add_explanation_json(const ShownExplanation& shown, std::string_view label, std::string& out);

}  // namespace diffuse::cli
