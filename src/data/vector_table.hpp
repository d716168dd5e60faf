#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "diffuse/data/word_vectors.hpp"

namespace diffuse {

/// Collects the vectors of a vocabulary's tokens while the words of a file go by.
class VectorTable {
 public:
  VectorTable(std::int64_t dim, const Tokenizer& tokenizer);

  /// Offers the vector of `word`: `read` writes it to its argument, [dim], and is called only if a
  /// token takes it.
  void offer(std::string_view word, const std::function<void(std::span<float>)>& read);

  /// What was taken.
  WordVectors take();

 private:
  /// How near to a token the word is whose vector it has.
  enum class Match : std::uint8_t { none, other_case, lower_case, exact };

  WordVectors vectors_;
  std::vector<Match> matches_;
  std::vector<std::string> tokens_;
  std::unordered_map<std::string_view, std::int32_t> exact_;
  std::unordered_map<std::string, std::vector<std::int32_t>> folded_;
  std::vector<float> row_;
};

}  // namespace diffuse
