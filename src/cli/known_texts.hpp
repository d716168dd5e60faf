#pragma once

#include <filesystem>

#include "diffuse/data/layout.hpp"

namespace diffuse::cli {

/// Which part of the training texts of `facts` stands in the training file of the classifier in
/// `checkpoint`, by the hashes that it keeps (texts.bin): what is measured on those says too much
/// of a model that begins with its weights. 0 where it keeps none, as of texts without labels.
double share_known(const std::filesystem::path& checkpoint, const DataFacts& facts);

}  // namespace diffuse::cli
