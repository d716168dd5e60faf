#pragma once

#include <span>

#include "diffuse/config/config.hpp"
#include "diffuse/data/word_vectors.hpp"
#include "diffuse/model/classifier.hpp"

namespace diffuse {

/// Starts the embedding of a fresh diffusion classifier of `config` from `vectors`: they, and the
/// random vectors of tokens that have none, are scaled to `config.embedding_file_std`, or with 0
/// the random ones to the scale of the file. The scale of vectors is the root of the mean square of
/// their elements.
void start_from_vectors(Classifier& classifier, const WordVectors& vectors,
                        const ModelConfig& config);

/// Starts the last layer's biases, of a fresh diffusion classifier, from `log_odds`, [C]: of
/// several labels most are rare, and what it would take to learn that is spared. Others stay as
/// they are.
void start_from_log_odds(Classifier& classifier, std::span<const float> log_odds);

}  // namespace diffuse
