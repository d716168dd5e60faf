#pragma once

#include <filesystem>

#include "diffuse/model/checkpoint.hpp"

namespace diffuse {

/// Writes `ngrams.safetensors` and `branches.json` into `folder`.
void save_ngram_branch(const std::filesystem::path& folder, const NgramsContent& content);
/// `branches.json` alone.
void save_branch_factors(const std::filesystem::path& folder, const TrainedNgrams& trained,
                         const BranchFactors& factors);

}  // namespace diffuse
