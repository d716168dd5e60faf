#pragma once

#include <c10/core/Device.h>

#include <cstdint>

namespace diffuse {

/// Memory of a device that is free for anybody, of all that it has.
struct FreeMemory {
  std::int64_t free_bytes = 0;
  std::int64_t total_bytes = 0;  ///< 0: not known, on the CPU
};

/// What is free now. Throws SystemError where there is no CUDA module, c10::Error where CUDA fails.
FreeMemory free_memory(at::Device device);

}  // namespace diffuse
