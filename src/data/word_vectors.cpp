#include "diffuse/data/word_vectors.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>

#include "diffuse/base/error.hpp"
#include "diffuse/data/byte_source.hpp"
#include "vector_file.hpp"
#include "vector_table.hpp"

namespace diffuse {
namespace {

void each_word(const std::filesystem::path& path, std::int64_t dim, const VisitWord& visit) {
  check_data_file(path, kVectorSetting);
  if (path.extension() == ".safetensors") {
    each_tensor_row(path, dim, visit);
  } else {
    each_text_vector(path, dim, visit);
  }
}

}  // namespace

std::vector<std::string> read_vector_words(const std::filesystem::path& path, std::int64_t dim,
                                           std::int64_t count) {
  std::vector<std::string> words;
  if (count == 0) return words;
  each_word(path, dim, [&](std::string_view word, const ReadVector&) {
    words.emplace_back(word);
    return std::ssize(words) < count;
  });
  return words;
}

WordVectors read_word_vectors(const std::filesystem::path& path, std::int64_t dim,
                              const Tokenizer& tokenizer) {
  VectorTable table(dim, tokenizer);
  each_word(path, dim, [&](std::string_view word, const ReadVector& read) {
    table.offer(word, read);
    return true;
  });
  WordVectors vectors = table.take();
  if (vectors.known_count == 0)
    throw DataError(fmt::format(
        "{}: none of the {} words of the vocabulary has a vector there; expected vectors of the "
        "texts' language ({})",
        path.string(), tokenizer.vocab_size(), kVectorSetting));
  return vectors;
}

double known_share(const WordVectors& vectors, const DatasetView& view) {
  std::int64_t known = 0;
  std::vector<std::int32_t> tokens;
  for (const std::uint32_t row : view.rows)
    for (const std::int32_t id : view.data->tokens(row, tokens))
      known += vectors.known[static_cast<std::size_t>(id)] ? 1 : 0;
  return static_cast<double>(known) /
         static_cast<double>(std::max<std::int64_t>(view.token_count(), 1));
}

}  // namespace diffuse
