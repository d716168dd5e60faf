#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "diffuse/data/dataset.hpp"
#include "diffuse/text/tokenizer.hpp"

namespace diffuse {

/// Vectors that a file has for the tokens of a vocabulary.
struct WordVectors {
  std::int64_t dim = 0;         ///< D
  std::vector<float> values{};  ///< [V, D]; 0 for a token without a vector
  std::vector<bool> known{};    ///< [V]: whether the token has one
  std::int64_t known_count = 0;
  double root_mean_square = 0;  ///< of the elements of those that are known
};

/// Reads the vectors of `tokenizer`'s tokens from `path`: text (a word and `dim` numbers on each
/// line, plain or gzip, with or without a first line of two numbers) or, by the name's ending,
/// safetensors (a tensor [V', dim], and its words one a line in vocab.txt beside the file). A token
/// takes the vector of the word that is written as it is; failing that, of one that differs by
/// case alone, the lower-case one first; of several the first. Throws DataError, with file and
/// line, for what is no such file, for vectors of another length and where no token has one;
/// CheckpointError for a damaged safetensors file.
WordVectors read_word_vectors(const std::filesystem::path& path, std::int64_t dim,
                              const Tokenizer& tokenizer);

/// The first `count` words of such a file, in its order. Throws as read_word_vectors does for what
/// is no such file.
std::vector<std::string> read_vector_words(const std::filesystem::path& path, std::int64_t dim,
                                           std::int64_t count);

/// Tokens of `view` that have a vector, as a share of all.
double known_share(const WordVectors& vectors, const DatasetView& view);

}  // namespace diffuse
