#pragma once

#include <string>
#include <vector>

#include "diffuse/bench/comparison.hpp"

namespace diffuse {

/// What `diffuse bench` prints. Times are of one call: a training step, or a forward pass.

/// Markdown: the models, a table of times and memory, one of ratios, warnings, and a sentence to
/// quote.
std::string comparison_markdown(const Comparison& comparison);

/// A header and a line for each case, model and precision.
std::string comparison_csv(const Comparison& comparison);

/// One object with everything: every sample, and the environment.
std::string comparison_json(const Comparison& comparison);
/// What comparison_json has written, to be shown in another form. Throws DataError, beginning with
/// `place`, for anything else.
Comparison parse_comparison(const std::string& json, const std::string& place);

/// One HTML page, whole in itself, with curves of time and memory over the length where several
/// were measured.
std::string comparison_html(const Comparison& comparison);

/// "On this machine …": what the comparison with each model comes to, with what it is of; none of a
/// model that no case ran of beside ours.
std::vector<std::string> comparison_sentences(const Comparison& comparison);

}  // namespace diffuse
