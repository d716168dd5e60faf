#pragma once

#include <string>

#include "device/cuda_table.hpp"

namespace diffuse::cuda {

/// The module, or why there is none.
struct Module {
  const Table* table = nullptr;
  std::string problem;  ///< a sentence, when `table` is null
};

/// Whether an NVIDIA driver (libcuda.so.1) can be loaded. Asks nobody but the loader, and costs
/// next to nothing where there is none.
bool driver_present();

/// Opens `libdiffuse_cuda.so` from the program's own folder, then by the loader's search path, on
/// the first call; later calls return the same. It must come before the first question to ATen
/// about CUDA, whose answer ATen keeps.
const Module& open_module();

/// The same for a file of that name in `folder` alone, never remembered.
Module open_module_in(const std::string& folder);

}  // namespace diffuse::cuda
