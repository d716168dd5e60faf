#include "vector_table.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "diffuse/base/unicode.hpp"

namespace diffuse {
namespace {

/// Without regard to case.
std::string folded(std::string_view word) {
  const bool plain = std::none_of(word.begin(), word.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
  });
  return plain ? std::string(word) : folded_name(word);
}

}  // namespace

VectorTable::VectorTable(std::int64_t dim, const Tokenizer& tokenizer) {
  const std::string text = tokenizer.vocab_text();
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    tokens_.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  for (std::size_t id = 0; id < tokens_.size(); ++id) {
    exact_.emplace(tokens_[id], static_cast<std::int32_t>(id));
    folded_[folded(tokens_[id])].push_back(static_cast<std::int32_t>(id));
  }
  matches_.resize(tokens_.size());
  row_.resize(static_cast<std::size_t>(dim));
  vectors_.dim = dim;
  vectors_.values.resize(tokens_.size() * row_.size());
}

void VectorTable::offer(std::string_view word, const std::function<void(std::span<float>)>& read) {
  bool is_read = false;
  const auto take = [&](std::int32_t id, Match match) {
    Match& own = matches_[static_cast<std::size_t>(id)];
    if (own >= match) return;
    if (!is_read) read(row_);
    is_read = true;
    own = match;
    std::copy(row_.begin(), row_.end(),
              vectors_.values.begin() + static_cast<std::ptrdiff_t>(row_.size()) * id);
  };
  if (const auto found = exact_.find(word); found != exact_.end())
    take(found->second, Match::exact);
  const std::string key = folded(word);
  if (const auto found = folded_.find(key); found != folded_.end())
    for (const std::int32_t id : found->second)
      take(id, key == word ? Match::lower_case : Match::other_case);
}

WordVectors VectorTable::take() {
  double squares = 0;
  for (const float value : vectors_.values)
    squares += static_cast<double>(value) * static_cast<double>(value);
  for (const Match match : matches_) vectors_.known.push_back(match != Match::none);
  vectors_.known_count = std::count(vectors_.known.begin(), vectors_.known.end(), true);
  const auto elements = static_cast<double>(vectors_.known_count * vectors_.dim);
  vectors_.root_mean_square = elements > 0 ? std::sqrt(squares / elements) : 0;
  return std::move(vectors_);
}

}  // namespace diffuse
