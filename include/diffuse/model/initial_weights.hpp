#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/model/classifier.hpp"
#include "diffuse/text/labels.hpp"
#include "diffuse/text/tokenizer.hpp"

namespace diffuse {

/// The vocabulary of a checkpoint that a model of `config` may begin with, a token a line.
/// `folder`: as resolve_checkpoint gives it. Throws CheckpointError for one that is damaged, of
/// another way to make tokens of a text, or of another model.dim, of which no weight would fit.
std::vector<std::string> initial_words(const std::filesystem::path& folder, const Config& config);

/// What a model took of a checkpoint.
struct InitialWeights {
  std::vector<std::string> taken{};  ///< names of tensors
  std::vector<std::string> fresh{};  ///< those that begin as usual
  std::int64_t words = 0;            ///< rows of the embedding that were taken
};

/// Copies the weights of the checkpoint `folder` whose name and shape are those of `classifier`'s:
/// of the embedding the rows of the words that both vocabularies have, of pairs of words nothing
/// where the vocabularies differ, of the head nothing where the classes are others. Throws
/// CheckpointError where no weight fits.
InitialWeights start_from_checkpoint(Classifier& classifier, const Tokenizer& tokenizer,
                                     const Labels& labels, const std::filesystem::path& folder);

}  // namespace diffuse
