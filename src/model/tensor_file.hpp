#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "diffuse/base/safetensors.hpp"
#include "diffuse/model/checkpoint.hpp"

namespace diffuse {

/// A tensor to be written: where there are `rows`, its values are theirs.
struct SavedTensor {
  std::string name;
  at::Tensor tensor;
  RowSource rows{};  ///< of a float32 matrix
};

/// As save_tensors() of pairs.
void save_tensors(const std::filesystem::path& path, const std::vector<SavedTensor>& tensors);

/// As load_tensors() of a path, from a file already read; `path` names it in messages.
void load_tensors(const SafetensorsFile& file, const std::filesystem::path& path,
                  const std::vector<std::pair<std::string, at::Tensor>>& targets);

/// A tensor's name as a message shows it: nobody vouches for those of a file.
std::string shown_tensor(std::string_view name);

/// The faults of a file, each on an indented line of its own, at most 20 and how many more.
std::string listed_faults(const std::vector<std::string>& faults);

/// "F32 [2, 3]": what a file must hold for `target`.
std::string described(const at::Tensor& target);

/// What keeps `view` from being copied into `target`; nothing if it fits.
std::optional<std::string> mismatch(const TensorView& view, const at::Tensor& target);

/// Copies a fitting view into `target`, on whatever device.
void copy_into(const at::Tensor& target, const TensorView& view);

}  // namespace diffuse
