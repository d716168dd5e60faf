#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/util/Exception.h>
#include <fmt/core.h>
#include <malloc.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <thread>

#include "diffuse/device/device.hpp"

namespace diffuse {
namespace {

/// Aligned blocks of plain `malloc`. LibTorch's own asks glibc for aligned memory, and glibc
/// (before 2.38) does not find the block that it just freed again for the same request: it cuts a
/// new one behind it, and the heap fills with holes of a tensor's size.
class TensorAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(std::size_t bytes) override {
    const c10::Device cpu(c10::DeviceType::CPU);
    if (bytes == 0) {
      return {nullptr, nullptr, &release, cpu};
    }
    void* block = std::malloc(bytes + kAlignmentBytes);
    if (block == nullptr) {
      throw c10::OutOfMemoryError(
          {__func__, __FILE__, static_cast<std::uint32_t>(__LINE__)},
          fmt::format("The machine has no block of {} bytes for a tensor.", bytes));
    }
    const auto address = reinterpret_cast<std::uintptr_t>(block);
    const std::uintptr_t shift = kAlignmentBytes - address % kAlignmentBytes;
    void* data = static_cast<char*>(block) + shift;
    // malloc aligns to 16 bytes, so that there is always room for a pointer in front.
    static_cast<void**>(data)[-1] = block;
    return {data, data, &release, cpu};
  }

  c10::DeleterFnPtr raw_deleter() const override { return &release; }

  void copy_data(void* target, const void* source, std::size_t bytes) const override {
    default_copy_data(target, source, bytes);
  }

 private:
  static void release(void* data) {
    if (data != nullptr) {
      std::free(static_cast<void**>(data)[-1]);
    }
  }

  static constexpr std::size_t kAlignmentBytes = 64;  // a cache line, as LibTorch's
};

}  // namespace

bool tune_allocator() {
  static TensorAllocator allocator;
  constexpr std::uint8_t kAboveLibTorchs = 1;
  c10::SetCPUAllocator(&allocator, kAboveLibTorchs);
  // oneDNN keeps a compiled primitive for every shape it meets, 1,024 of them by default, and
  // packed batches hardly ever repeat a shape: some 40 MB an epoch that nobody uses again. A value
  // that the user set stays.
  setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "16", /*overwrite=*/0);
  // Blocks above the first come and go by mmap: in the heap, tensors of changing sizes that large
  // leave holes as large (twice the peak memory measured with 46 MB tensors).
  constexpr int kMmapThresholdBytes = 64 << 20;
  constexpr int kTrimThresholdBytes = 1 << 30;
  // Few heaps: what a thread gave back to one of its own is there for no other. Threads wait for
  // each other at a heap, so more cores have more.
  const int heaps = static_cast<int>(std::max(1U, std::thread::hardware_concurrency() / 4));
  return mallopt(M_ARENA_MAX, heaps) == 1 && mallopt(M_MMAP_THRESHOLD, kMmapThresholdBytes) == 1 &&
         mallopt(M_TRIM_THRESHOLD, kTrimThresholdBytes) == 1;
}

}  // namespace diffuse
