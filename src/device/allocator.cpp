#include <malloc.h>

#include <cstdlib>

#include "diffuse/device/device.hpp"

namespace diffuse {

bool tune_allocator() {
  // oneDNN keeps a compiled primitive for every shape it meets, 1,024 of them by default, and packed
  // batches hardly ever repeat a shape: some 40 MB an epoch that nobody uses again. A value that
  // the user set stays.
  setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "16", /*overwrite=*/0);
  // Blocks above the first come and go by mmap: in the heap, tensors of changing sizes that large
  // leave holes as large (twice the peak memory measured with 46 MB tensors).
  constexpr int kMmapThresholdBytes = 64 << 20;
  constexpr int kTrimThresholdBytes = 1 << 30;
  return mallopt(M_MMAP_THRESHOLD, kMmapThresholdBytes) == 1 &&
         mallopt(M_TRIM_THRESHOLD, kTrimThresholdBytes) == 1;
}

}  // namespace diffuse
