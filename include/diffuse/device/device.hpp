#pragma once

#include <ATen/core/Generator.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace c10 {
class Error;
}

namespace diffuse {

/// Sets up how tensors get host memory; `main` calls it once, first of all. Two habits of glibc
/// cost much here. Blocks of 128 kB and more, and free memory at the heap's end, go back to the
/// system and are faulted in again, zeroed page by page, for the next tensor: element-wise work
/// then takes two to six times as long. And aligned requests, LibTorch's, do not find the blocks
/// freed before them (glibc before 2.38), so that the heap fills with holes. With this, blocks up
/// to 64 MiB stay in the heap and are found again: training on R8 peaks at 258 MB, 381 without the
/// second part (measured). All threads share one heap. Returns false where the system's allocator
/// refused its part.
bool tune_allocator();

/// Device named by `name`: `auto` | `cpu` | `cuda` | `cuda:i`. `auto` is the first CUDA device
/// where the CUDA module, a driver and a device are there, else the CPU. Throws UsageError for
/// another name and SystemError, saying what is missing, if a named CUDA device cannot be used.
/// Must be called before any question to ATen about CUDA: ATen remembers the first answer.
at::Device resolve_device(std::string_view name);

/// Sets the number of threads of tensor operations (0: all cores this process may use) and
/// returns the number in force.
int set_thread_count(std::int64_t threads);

/// One thread for tensor operations while it lives, then as many as before; without effect where
/// `wanted` is false. Setting and restoring take a tenth of a microsecond.
class OneThreadScope {
 public:
  explicit OneThreadScope(bool wanted = true);
  ~OneThreadScope();
  OneThreadScope(const OneThreadScope&) = delete;
  OneThreadScope& operator=(const OneThreadScope&) = delete;

 private:
  int before_;  // 0: nothing to restore
};

/// A generator on `device` seeded with `seed`, its own stream of random numbers.
at::Generator make_generator(at::Device device, std::uint64_t seed);

/// Waits until all work queued on `device` is done; nothing on the CPU.
void synchronize(at::Device device);

/// Peak memory since the last `reset_peak_memory`, in bytes; all 0 on the CPU.
struct DeviceMemory {
  std::int64_t allocated_peak_bytes = 0;  ///< by tensors
  std::int64_t reserved_peak_bytes = 0;   ///< by the caching allocator
  std::int64_t used_bytes = 0;            ///< of the whole device, now, by anyone
};
DeviceMemory device_memory(at::Device device);
void reset_peak_memory(at::Device device);

/// Whether `error` says that the host's or a GPU's memory ran out.
bool is_out_of_memory(const c10::Error& error);
/// What was asked for, as sentences: of the host in LibTorch's words without its own source
/// positions, of a GPU beside what was free there (gpu_memory_request).
std::string memory_request(const c10::Error& error);

/// For the start-up table and `diffuse version`: "CPU, 2 threads" or the GPU's name.
std::string device_description(at::Device device);

/// What the program found when it ran, beside `build_info()`: for `diffuse version` and manifests.
struct RuntimeInfo {
  std::string libtorch_version;  ///< of the library in use, "2.11.0+cu130"
  std::string libtorch_folder;   ///< that holds libtorch_cpu.so
  std::string cuda;              ///< one line: the devices, or why there are none
};
/// Opens the CUDA module where there is a driver, as `auto` does. Throws nothing on purpose.
RuntimeInfo runtime_info();

}  // namespace diffuse
