#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "diffuse/base/safetensors.hpp"

namespace diffuse {

/// The header's key that names no tensor.
inline constexpr std::string_view kMetadataKey = "__metadata__";
/// The longest header that readers of the format accept, bytes.
inline constexpr std::uint64_t kLargestHeader = 100'000'000;

/// What is wrong with a header: a clause without the file's name and without a full stop.
class HeaderFault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One tensor of a header; its bytes are [begin, end) of the data that follows the header.
struct SafetensorsEntry {
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;  ///< by position in the data
  std::map<std::string, std::string> metadata;
};

/// Reads a header and checks everything in it against `data_size`: names occur once, dtypes are
/// known, sizes agree with the shapes, the tensors cover the data without gap or overlap. Throws
/// HeaderFault.
SafetensorsHeader parse_safetensors_header(std::string_view text, std::uint64_t data_size);

/// The dtype that a header calls `name`, or nothing.
std::optional<DType> dtype_named(std::string_view name);
/// "F64, F32, ...", for messages.
std::string known_dtype_names();
/// Bytes of a tensor; nothing if a dimension is negative or the size overflows.
std::optional<std::uint64_t> tensor_size_bytes(DType dtype, std::span<const std::int64_t> shape);

}  // namespace diffuse
