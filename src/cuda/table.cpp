#include <ATen/Context.h>
#include <ATen/cuda/CUDAGeneratorImpl.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <cuda_runtime_api.h>
#include <fmt/core.h>

#include "build_info_values.hpp"
#include "device/cuda_table.hpp"
#include "recording.hpp"

namespace diffuse::cuda {
namespace {

// Statistics come for all pools together, small blocks and large; the first is the sum. Its name
// moved between versions of LibTorch, its place did not.
constexpr std::size_t kAggregate = 0;

c10::DeviceIndex narrow(int index) { return static_cast<c10::DeviceIndex>(index); }

/// Sets up LibTorch's CUDA half where nothing has used it yet: the caching allocator answers
/// "Invalid device argument" before. Every function that comes to LibTorch calls it, because any of
/// them may be the first of its process.
void initialise() { at::globalContext().lazyInitDevice(c10::DeviceType::CUDA); }

DeviceCount device_count() {
  // CUDA itself, not LibTorch: that answers 0 and keeps the reason.
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error == cudaSuccess) {
    return {count, {}};
  }
  static_cast<void>(cudaGetLastError());  // or the next checked call would report it again
  return {0, fmt::format("CUDA says: {}", cudaGetErrorString(error))};
}

std::string device_name(int index) {
  cudaDeviceProp properties{};
  C10_CUDA_CHECK(cudaGetDeviceProperties(&properties, index));
  constexpr double kGib = 1 << 30;
  return fmt::format("{} ({}.{}, {:.1f} GiB)", properties.name, properties.major, properties.minor,
                     static_cast<double>(properties.totalGlobalMem) / kGib);
}

bool computes_bf16(int index) {
  int major = 0;
  C10_CUDA_CHECK(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, index));
  return major >= 8;
}

std::string versions() {
  int driver = 0;
  int runtime = 0;
  C10_CUDA_CHECK(cudaDriverGetVersion(&driver));
  C10_CUDA_CHECK(cudaRuntimeGetVersion(&runtime));
  return fmt::format("driver {}.{}, runtime {}.{}", driver / 1000, driver % 1000 / 10,
                     runtime / 1000, runtime % 1000 / 10);
}

at::Generator make_generator(int index, std::uint64_t seed) {
  initialise();
  at::Generator generator = at::cuda::detail::createCUDAGenerator(narrow(index));
  generator.set_current_seed(seed);
  return generator;
}

void synchronize(int index) {
  initialise();
  const c10::cuda::CUDAGuard guard(narrow(index));
  C10_CUDA_CHECK(cudaDeviceSynchronize());
}

FreeMemory free_memory(int index) {
  initialise();
  const c10::cuda::CUDAGuard guard(narrow(index));
  std::size_t free_bytes = 0;
  std::size_t total_bytes = 0;
  C10_CUDA_CHECK(cudaMemGetInfo(&free_bytes, &total_bytes));
  return {static_cast<std::int64_t>(free_bytes), static_cast<std::int64_t>(total_bytes)};
}

DeviceMemory memory(int index) {
  initialise();
  const auto stats = c10::cuda::CUDACachingAllocator::getDeviceStats(narrow(index));
  const FreeMemory left = free_memory(index);
  return {stats.allocated_bytes[kAggregate].peak, stats.reserved_bytes[kAggregate].peak,
          left.total_bytes - left.free_bytes};
}

void reset_peak_memory(int index) {
  initialise();
  c10::cuda::CUDACachingAllocator::resetPeakStats(narrow(index));
}

}  // namespace
}  // namespace diffuse::cuda

extern "C" __attribute__((visibility("default"))) const diffuse::cuda::Table* diffuse_cuda_table() {
  using namespace diffuse;
  static const cuda::Table table{
      .version = cuda::kTableVersion,
      .libtorch_version = build_info_values::kLibtorchVersion,
      .device_count = cuda::device_count,
      .device_name = cuda::device_name,
      .versions = cuda::versions,
      .computes_bf16 = cuda::computes_bf16,
      .make_generator = cuda::make_generator,
      .synchronize = cuda::synchronize,
      .memory = cuda::memory,
      .reset_peak_memory = cuda::reset_peak_memory,
      .free_memory = cuda::free_memory,
      .run_apart = cuda::run_apart,
      .record = cuda::record,
  };
  return &table;
}
