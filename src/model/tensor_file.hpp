#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "diffuse/base/safetensors.hpp"

namespace diffuse {

/// As load_tensors() of a path, from a file already read; `path` names it in messages.
void load_tensors(const SafetensorsFile& file, const std::filesystem::path& path,
                  const std::vector<std::pair<std::string, at::Tensor>>& targets);

}  // namespace diffuse
