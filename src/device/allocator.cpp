#include <malloc.h>

#include "diffuse/device/device.hpp"

namespace diffuse {

bool tune_allocator() {
  // Blocks above the first come and go by mmap: in the heap, tensors of changing sizes that large
  // leave holes as large (twice the peak memory measured with 46 MB tensors).
  constexpr int kMmapThresholdBytes = 64 << 20;
  constexpr int kTrimThresholdBytes = 1 << 30;
  return mallopt(M_MMAP_THRESHOLD, kMmapThresholdBytes) == 1 &&
         mallopt(M_TRIM_THRESHOLD, kTrimThresholdBytes) == 1;
}

}  // namespace diffuse
