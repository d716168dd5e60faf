#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "diffuse/eval/evaluator.hpp"
#include "diffuse/ngrams/branch_factors.hpp"

namespace diffuse::cli {

/// A model before it was pruned, or after.
struct PruneState {
  std::int64_t ngrams = 0;
  std::uintmax_t ngram_bytes = 0;       ///< of ngrams.safetensors
  std::uintmax_t checkpoint_bytes = 0;  ///< of all that the new checkpoint has, too
  BranchFactors factors{};
  std::optional<Evaluation> evaluation{};  ///< nothing where there are no rows
};

/// What `prune` did.
struct PruneReport {
  PruneState before{};
  PruneState after{};
  std::int64_t trained_rows = 0;  ///< 0: the n-grams were not trained anew
  bool int8 = false;
  bool network = true;        ///< beside the n-grams
  std::string measured_name;  ///< of the rows
  std::string checkpoint;     ///< the new one
};

/// What `prune` prints.
std::string prune_text(const PruneReport& report);
/// The same figures as one JSON object; accuracies are fractions.
std::string prune_json(const PruneReport& report);

}  // namespace diffuse::cli
