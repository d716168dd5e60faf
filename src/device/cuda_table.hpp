#pragma once

#include <ATen/core/Generator.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "diffuse/device/device.hpp"
#include "diffuse/device/free_memory.hpp"
#include "diffuse/device/recording.hpp"

namespace diffuse::cuda {

/// Number of the layout below; to be raised with every change of it.
inline constexpr std::uint32_t kTableVersion = 4;

struct DeviceCount {
  int count = 0;
  std::string problem;  ///< CUDA's own words, when it could not say
};

/// What `libdiffuse_cuda.so` does for the program, which itself links the CPU half of LibTorch
/// alone. Both sides are built together; `version` and `libtorch_version` catch a stale file.
/// Functions throw c10::Error where CUDA fails. Each may be the first of its process
/// (tests/device/cuda_table_test.cpp calls each so).
struct Table {
  std::uint32_t version = kTableVersion;
  const char* libtorch_version = nullptr;  ///< headers the module was compiled against
  DeviceCount (*device_count)() = nullptr;
  /// "NVIDIA H100 80GB HBM3 (9.0, 79.1 GiB)".
  std::string (*device_name)(int index) = nullptr;
  /// "driver 13.0, runtime 13.0": the CUDA versions both sides speak.
  std::string (*versions)() = nullptr;
  /// Whether the device computes in bfloat16 (compute capability 8.0 and up).
  bool (*computes_bf16)(int index) = nullptr;
  at::Generator (*make_generator)(int index, std::uint64_t seed) = nullptr;
  void (*synchronize)(int index) = nullptr;
  DeviceMemory (*memory)(int index) = nullptr;
  void (*reset_peak_memory)(int index) = nullptr;
  FreeMemory (*free_memory)(int index) = nullptr;
  /// diffuse/device/recording.hpp.
  void (*run_apart)(int index, const std::function<void()>& work) = nullptr;
  std::unique_ptr<Recording> (*record)(int index, const std::function<void()>& work) = nullptr;
};

/// The module's one exported symbol, of type `const Table* ()`.
inline constexpr const char* kTableSymbol = "diffuse_cuda_table";

}  // namespace diffuse::cuda
