#include <fmt/core.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "diffuse/base/error.hpp"
#include "diffuse/base/safetensors.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/data/byte_source.hpp"
#include "text_buffer.hpp"
#include "vector_file.hpp"

namespace diffuse {
namespace {

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
      path.string(), names.empty() ? "none of two dimensions" : join(names, ", "), kVectorSetting));
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

}  // namespace

void each_tensor_row(const std::filesystem::path& path, std::int64_t dim, const VisitWord& visit) {
  const SafetensorsFile file = SafetensorsFile::read(path);
  const TensorView& tensor = vectors_of(file, path);
  const auto fail = [&](const std::string& what) {
    throw DataError(fmt::format("{}: the tensor \"{}\": {} ({})", path.string(),
                                printable(tensor.name), what, kVectorSetting));
  };
  if (tensor.dtype == DType::i32 || tensor.dtype == DType::i64 || tensor.dtype == DType::u8)
    fail(fmt::format("holds {}; expected F32, F64, F16 or BF16", dtype_name(tensor.dtype)));
  if (tensor.shape[1] != dim) fail(other_length(tensor.shape[1], dim));
  const std::filesystem::path words = path.parent_path() / "vocab.txt";
  check_data_file(words, fmt::format("the words of {}", kVectorSetting));
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

}  // namespace diffuse
