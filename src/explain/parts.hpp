#pragma once

#include <cstdint>
#include <string_view>

#include "diffuse/explain/explanation.hpp"
#include "diffuse/model/checkpoint.hpp"

namespace diffuse {

/// Adds the parts of a branch for `explanation.label` to it, and what the branch has of logit and
/// baseline.
void add_ngram_parts(const LoadedNgrams& branch, std::string_view text, Explanation& explanation);
/// `most_tokens`: that the points of the path may have together.
void add_network_parts(const LoadedModel& model, std::string_view text, std::int64_t most_tokens,
                       Explanation& explanation);

}  // namespace diffuse
