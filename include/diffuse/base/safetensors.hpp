#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace diffuse {

/// Element types of the safetensors format that we read and write.
enum class DType { f64, f32, f16, bf16, i64, i32, u8 };

/// Bytes of one element.
std::size_t dtype_size_bytes(DType dtype);
/// "F32" and so on, as the format's header spells it.
std::string_view dtype_name(DType dtype);

/// One named tensor, row-major, host memory not owned.
struct TensorView {
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;
  /// For a tensor to be written that is nowhere whole: makes the next of its bytes, and `bytes` is
  /// empty.
  std::function<std::span<const std::byte>()> next{};
};

/// Writes `tensors` in the given order (the same input gives the same bytes) to `path`,
/// atomically: a temporary file, synced, renamed. `metadata` goes into `__metadata__`.
/// Throws SystemError if writing fails; Error if two names are equal, bytes and shape disagree or a
/// text is not UTF-8.
void write_safetensors(const std::filesystem::path& path, std::span<const TensorView> tensors,
                       const std::map<std::string, std::string>& metadata = {});

/// A safetensors file held in memory. The file is untrusted: every offset, shape and size is
/// checked before use. A tensor's bytes start wherever the file puts them: copy, do not cast.
class SafetensorsFile {
 public:
  SafetensorsFile(SafetensorsFile&&) = default;
  SafetensorsFile& operator=(SafetensorsFile&&) = default;
  // A copy's tensors would point into the original.
  SafetensorsFile(const SafetensorsFile&) = delete;
  SafetensorsFile& operator=(const SafetensorsFile&) = delete;

  /// Reads and checks the whole file. Throws CheckpointError naming the file and what is wrong.
  static SafetensorsFile read(const std::filesystem::path& path);

  /// The tensors by name; their bytes live as long as this object.
  const std::map<std::string, TensorView>& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  SafetensorsFile() = default;

  std::unique_ptr<std::byte[]> bytes_;
  std::map<std::string, TensorView> tensors_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace diffuse
