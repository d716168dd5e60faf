#include "diffuse/data/word_vectors.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "diffuse/base/error.hpp"
#include "diffuse/base/safetensors.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/data/byte_source.hpp"
#include "text_buffer.hpp"
#include "vector_table.hpp"

namespace diffuse {
namespace {

constexpr const char* kWhatFor = "model.embedding_file";

std::string other_length(std::int64_t found, std::int64_t dim) {
  return fmt::format(
      "vectors of {} numbers, but model.dim is {}; expected as many (--set "
      "model.dim={})",
      found, dim, found);
}

/// The blanks of a line part its fields; one at its end parts nothing.
bool is_blank_byte(char c) { return c == ' ' || c == '\t'; }

std::string_view without_end(std::string_view line) {
  while (!line.empty() && is_blank_byte(line.back())) line.remove_suffix(1);
  return line;
}

/// Takes the last field off `line`, which has no blanks at its end.
std::string_view take_last(std::string_view& line) {
  std::size_t begin = line.size();
  while (begin > 0 && !is_blank_byte(line[begin - 1])) --begin;
  const std::string_view field = line.substr(begin);
  line = without_end(line.substr(0, begin));
  return field;
}

std::optional<float> number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  float value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (stop != text.data() + text.size() || text.empty()) return std::nullopt;
  if (error == std::errc::result_out_of_range) return 0.0F;  // so small: no vector has 1e38
  return error == std::errc() && std::isfinite(value) ? std::optional(value) : std::nullopt;
}

std::int64_t count_fields(std::string_view line) {
  std::int64_t fields = 0;
  bool inside = false;
  for (const char c : line) {
    if (!is_blank_byte(c) && !inside) ++fields;
    inside = !is_blank_byte(c);
  }
  return fields;
}

bool is_whole(std::string_view field) {
  return !field.empty() &&
         std::all_of(field.begin(), field.end(), [](char c) { return c >= '0' && c <= '9'; });
}

using ReadVector = std::function<void(std::span<float> to)>;
using VisitWord = std::function<bool(std::string_view word, const ReadVector& read)>;

class TextVectors {
 public:
  TextVectors(const std::filesystem::path& path, std::int64_t dim) : buffer_(path), dim_(dim) {}

  /// Calls `visit` with each word and what reads its vector, until it returns false.
  void each(const VisitWord& visit) {
    std::string line;
    bool first = true;
    for (;; first = false) {
      line_ = buffer_.line();
      const TextBuffer::Line status = buffer_.take_line(line);
      if (status == TextBuffer::Line::end) break;
      if (status == TextBuffer::Line::too_long)
        fail(fmt::format("the line is longer than {} MiB", TextBuffer::kMaxRecordBytes >> 20));
      const std::string_view text = without_end(line);
      if (text.empty()) continue;
      if (first && is_header(text)) continue;
      if (!visit_line(text, !checked_, visit)) break;
    }
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw DataError(fmt::format("{}:{}: {} ({})", buffer_.path().string(), line_, what, kWhatFor));
  }

  /// "1999995 300", as fastText and word2vec write it.
  bool is_header(std::string_view line) {
    if (count_fields(line) != 2) return false;
    std::string_view rest = line;
    const std::string_view length = take_last(rest);
    if (!is_whole(length) || !is_whole(rest) || length.size() > 6) return false;
    const std::int64_t found = std::stoll(std::string(length));
    if (found != dim_) fail(other_length(found, dim_));
    return true;
  }

  bool visit_line(std::string_view line, bool check, const VisitWord& visit) {
    const std::int64_t fields = count_fields(line);
    // Words may hold blanks; that all lines have more numbers is seen on the first.
    if (check && fields > dim_ + 1) {
      std::string_view rest = line;
      std::int64_t numbers = 0;
      while (!rest.empty() && number(take_last(rest))) ++numbers;
      if (numbers > dim_ && numbers >= fields - 1) fail(other_length(fields - 1, dim_));
    }
    if (fields < dim_ + 1) {
      if (check) fail(other_length(fields - 1, dim_));
      fail(fmt::format("{} field{}; expected a word and {} numbers", fields, fields == 1 ? "" : "s",
                       dim_));
    }
    checked_ = true;
    std::string_view word = line;
    if (fields == dim_ + 1) {
      word = line.substr(0, line.find_first_of(" \t", line.find_first_not_of(" \t")));
      word.remove_prefix(word.find_first_not_of(" \t"));
    } else {
      for (std::int64_t i = 0; i < dim_; ++i) take_last(word);
    }
    return visit(word, [&](std::span<float> to) {
      std::string_view rest = line;
      for (std::int64_t i = dim_; i-- > 0;) {
        const std::string_view field = take_last(rest);
        const std::optional<float> value = number(field);
        if (!value)
          fail(fmt::format("\"{}\" is no number; expected a word and {} numbers",
                           printable(field, 20), dim_));
        to[static_cast<std::size_t>(i)] = *value;
      }
    });
  }

  TextBuffer buffer_;
  std::int64_t dim_;
  std::uint32_t line_ = 0;
  bool checked_ = false;
};

/// The tensor of vectors: the only one of two dimensions, or an embedding by its name.
const TensorView& vectors_of(const SafetensorsFile& file, const std::filesystem::path& path) {
  std::vector<const TensorView*> matrices;
  std::vector<std::string> names;
  for (const auto& [name, tensor] : file.tensors()) {
    if (tensor.shape.size() != 2) continue;
    if (name == "embedding.weight") return tensor;
    matrices.push_back(&tensor);
    names.push_back(printable(name, 60));
  }
  if (matrices.size() == 1) return *matrices.front();
  for (const TensorView* tensor : matrices)
    if (tensor->name.ends_with("word_embeddings.weight")) return *tensor;
  constexpr std::size_t kShown = 10;
  if (names.size() > kShown) names.resize(kShown);
  throw DataError(fmt::format(
      "{}: which tensor holds the vectors? Expected one tensor [words, model.dim], or one called "
      "embedding.weight; found {} ({})",
      path.string(), names.empty() ? "none of two dimensions" : join(names, ", "), kWhatFor));
}

float element(const TensorView& tensor, std::size_t index) {
  const std::byte* at = tensor.bytes.data() + index * dtype_size_bytes(tensor.dtype);
  const auto read = [at](auto value) {
    std::memcpy(&value, at, sizeof value);
    return value;
  };
  switch (tensor.dtype) {
    case DType::f32:
      return read(float());
    case DType::f64:
      return static_cast<float>(read(double()));
    case DType::bf16:
      return std::bit_cast<float>(std::uint32_t{read(std::uint16_t())} << 16);
    default: {
      const std::uint16_t half = read(std::uint16_t());
      const int exponent = half >> 10 & 31;
      const float fraction = static_cast<float>(half & 1023);
      const float value = exponent == 0    ? std::ldexp(fraction, -24)
                          : exponent == 31 ? std::numeric_limits<float>::quiet_NaN()
                                           : std::ldexp(fraction + 1024, exponent - 25);
      return half >> 15 != 0 ? -value : value;
    }
  }
}

void each_row(const std::filesystem::path& path, std::int64_t dim, const VisitWord& visit) {
  const SafetensorsFile file = SafetensorsFile::read(path);
  const TensorView& tensor = vectors_of(file, path);
  const auto fail = [&](const std::string& what) {
    throw DataError(fmt::format("{}: the tensor \"{}\": {} ({})", path.string(),
                                printable(tensor.name), what, kWhatFor));
  };
  if (tensor.dtype == DType::i32 || tensor.dtype == DType::i64 || tensor.dtype == DType::u8)
    fail(fmt::format("holds {}; expected F32, F64, F16 or BF16", dtype_name(tensor.dtype)));
  if (tensor.shape[1] != dim) fail(other_length(tensor.shape[1], dim));
  const std::filesystem::path words = path.parent_path() / "vocab.txt";
  check_data_file(words, fmt::format("the words of {}", kWhatFor));
  TextBuffer buffer(words);
  std::string line;
  std::int64_t row = 0;
  bool wanted = true;
  const auto width = static_cast<std::size_t>(dim);
  while (buffer.take_line(line) != TextBuffer::Line::end) {
    if (wanted && row < tensor.shape[0]) {
      wanted = visit(line, [&](std::span<float> to) {
        for (std::size_t c = 0; c < width; ++c) {
          to[c] = element(tensor, static_cast<std::size_t>(row) * width + c);
          if (!std::isfinite(to[c]))
            fail(fmt::format("row {} holds a value that is not finite", row + 1));
        }
      });
    }
    ++row;
  }
  if (row != tensor.shape[0])
    throw DataError(fmt::format(
        "{}: {} lines for the {} rows of the tensor \"{}\" of {}; expected "
        "a word a row",
        words.string(), row, tensor.shape[0], printable(tensor.name), path.filename().string()));
}

void each_word(const std::filesystem::path& path, std::int64_t dim, const VisitWord& visit) {
  check_data_file(path, kWhatFor);
  if (path.extension() == ".safetensors") {
    each_row(path, dim, visit);
  } else {
    TextVectors(path, dim).each(visit);
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
        path.string(), tokenizer.vocab_size(), kWhatFor));
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
