#include "diffuse/base/safetensors.hpp"

#include <fmt/core.h>

#include <array>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "diffuse/base/error.hpp"
#include "file_io.hpp"
#include "safetensors_header.hpp"

namespace diffuse {
namespace {

static_assert(std::endian::native == std::endian::little,
              "The format is little-endian and tensors are written as they lie in memory.");

struct DTypeFacts {
  DType dtype;
  std::string_view name;
  std::size_t size_bytes;
};

constexpr std::array<DTypeFacts, 7> kDTypes = {{{DType::f64, "F64", 8},
                                                {DType::f32, "F32", 4},
                                                {DType::f16, "F16", 2},
                                                {DType::bf16, "BF16", 2},
                                                {DType::i64, "I64", 8},
                                                {DType::i32, "I32", 4},
                                                {DType::u8, "U8", 1}}};

const DTypeFacts& facts_of(DType dtype) {
  for (const DTypeFacts& facts : kDTypes) {
    if (facts.dtype == dtype) return facts;
  }
  throw Error("A dtype outside the enumeration.");
}

/// Throws Error unless the tensors can be written and would be read back as they are.
void check_tensors(std::span<const TensorView> tensors) {
  std::set<std::string_view> names;
  for (const TensorView& tensor : tensors) {
    if (tensor.name == kMetadataKey) {
      throw Error(fmt::format("\"{}\" is reserved and cannot name a tensor.", tensor.name));
    }
    if (!names.insert(tensor.name).second) {
      throw Error(fmt::format("Two tensors are named \"{}\".", tensor.name));
    }
    const auto size = tensor_size_bytes(tensor.dtype, tensor.shape);
    if (!size || (!tensor.next && *size != tensor.bytes.size())) {
      throw Error(fmt::format("Tensor \"{}\" holds {} bytes, not what its shape and {} make.",
                              tensor.name, tensor.bytes.size(), dtype_name(tensor.dtype)));
    }
  }
}

std::string header_text(std::span<const TensorView> tensors,
                        const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header[std::string(kMetadataKey)] = metadata;
  std::uint64_t begin = 0;
  for (const TensorView& tensor : tensors) {
    const std::uint64_t end = begin + *tensor_size_bytes(tensor.dtype, tensor.shape);
    header[tensor.name] = {{"dtype", dtype_name(tensor.dtype)},
                           {"shape", tensor.shape},
                           {"data_offsets", {begin, end}}};
    begin = end;
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const nlohmann::json::exception& problem) {
    throw Error(fmt::format("A name or metadata is not valid UTF-8: {}", problem.what()));
  }
  // Blanks at the end are allowed; they let the data start at a multiple of 8.
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

}  // namespace

std::size_t dtype_size_bytes(DType dtype) { return facts_of(dtype).size_bytes; }

std::string_view dtype_name(DType dtype) { return facts_of(dtype).name; }

std::optional<DType> dtype_named(std::string_view name) {
  for (const DTypeFacts& facts : kDTypes) {
    if (facts.name == name) return facts.dtype;
  }
  return std::nullopt;
}

std::string known_dtype_names() {
  std::string names;
  for (const DTypeFacts& facts : kDTypes) {
    if (!names.empty()) names += ", ";
    names += facts.name;
  }
  return names;
}

std::optional<std::uint64_t> tensor_size_bytes(DType dtype, std::span<const std::int64_t> shape) {
  std::uint64_t size = dtype_size_bytes(dtype);
  for (const std::int64_t dimension : shape) {
    if (dimension < 0) return std::nullopt;
    if (__builtin_mul_overflow(size, static_cast<std::uint64_t>(dimension), &size)) {
      return std::nullopt;
    }
  }
  return size;
}

void write_safetensors(const std::filesystem::path& path, std::span<const TensorView> tensors,
                       const std::map<std::string, std::string>& metadata) {
  check_tensors(tensors);
  const std::string header = header_text(tensors, metadata);
  const std::uint64_t header_size = header.size();
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(&header_size, 1)));
  file.write(std::as_bytes(std::span(header)));
  for (const TensorView& tensor : tensors) {
    file.write(tensor.bytes);
    std::uint64_t left = *tensor_size_bytes(tensor.dtype, tensor.shape) - tensor.bytes.size();
    while (left > 0) {
      const std::span<const std::byte> more = tensor.next();
      if (more.empty() || more.size() > left)
        throw Error(fmt::format("Tensor \"{}\" makes {} bytes, of {} that its shape leaves.",
                                tensor.name, more.size(), left));
      file.write(more);
      left -= more.size();
    }
  }
  file.commit();
}

SafetensorsFile SafetensorsFile::read(const std::filesystem::path& path) {
  const auto fail = [&](const std::string& what) -> CheckpointError {
    return CheckpointError(
        fmt::format("{}: not a usable safetensors file: {}.", path.string(), what));
  };
  SafetensorsFile result;
  std::uint64_t header_size = 0;
  std::size_t held = 0;
  try {
    const Descriptor file = open_for_reading(path);
    const std::size_t size = size_hint(file);
    result.bytes_ = std::make_unique_for_overwrite<std::byte[]>(size);
    held = read_some(file, {result.bytes_.get(), size}, path);
  } catch (const SystemError& problem) {
    throw CheckpointError(problem.what());
  }
  const std::span<const std::byte> bytes(result.bytes_.get(), held);
  if (bytes.size() < sizeof header_size) {
    throw fail(
        fmt::format("{} bytes; expected at least the 8 of the header's length", bytes.size()));
  }
  std::memcpy(&header_size, bytes.data(), sizeof header_size);
  if (header_size > kLargestHeader) {
    throw fail(fmt::format("the header's length is {} bytes; at most {} are allowed", header_size,
                           kLargestHeader));
  }
  const std::span<const std::byte> rest = bytes.subspan(sizeof header_size);
  if (header_size > rest.size()) {
    throw fail(fmt::format("the header's length is {} bytes, the file holds {} after it",
                           header_size, rest.size()));
  }
  const std::string_view text(reinterpret_cast<const char*>(rest.data()),
                              static_cast<std::size_t>(header_size));
  const std::span<const std::byte> data = rest.subspan(static_cast<std::size_t>(header_size));
  try {
    SafetensorsHeader header = parse_safetensors_header(text, data.size());
    result.metadata_ = std::move(header.metadata);
    for (SafetensorsEntry& entry : header.entries) {
      const auto size = static_cast<std::size_t>(entry.end - entry.begin);
      TensorView view{entry.name, entry.dtype, std::move(entry.shape),
                      data.subspan(static_cast<std::size_t>(entry.begin), size)};
      result.tensors_.emplace(entry.name, std::move(view));
    }
  } catch (const HeaderFault& fault) {
    throw fail(fault.what());
  }
  return result;
}

}  // namespace diffuse
