#include "diffuse/device/device.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <c10/util/Exception.h>
#include <fmt/core.h>

#include <charconv>
#include <limits>

#include "device/cuda_module.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/base/thread_limit.hpp"
#include "diffuse/device/failure.hpp"

namespace diffuse {
namespace {

constexpr std::string_view kCudaPrefix = "cuda:";

const cuda::Table& cuda_table() {
  const cuda::Module& module = cuda::open_module();
  if (module.table == nullptr) {
    throw SystemError(module.problem);
  }
  return *module.table;
}

/// Index after `cuda:`; throws UsageError, naming the whole `name`, if it is not a number.
int parse_cuda_index(std::string_view name) {
  const std::string_view digits = name.substr(kCudaPrefix.size());
  int index = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  if (error != std::errc{} || end != digits.data() + digits.size() || index < 0 ||
      index > std::numeric_limits<c10::DeviceIndex>::max()) {
    throw UsageError(fmt::format(
        "device \"{}\": expected auto, cpu, cuda or cuda:i with i = 0, 1, …", printable(name)));
  }
  return index;
}

at::Device named_cuda_device(std::string_view name, int index) {
  const auto fail = [&](std::string_view reason) {
    throw SystemError(
        fmt::format("device {}: {}; --device cpu works without", printable(name), reason));
  };
  if (!cuda::driver_present()) {
    fail("no NVIDIA driver on this machine (libcuda.so.1 cannot be loaded)");
  }
  const cuda::Module& module = cuda::open_module();
  if (module.table == nullptr) {
    fail(module.problem);
  }
  const cuda::DeviceCount devices = module.table->device_count();
  if (devices.count == 0) {
    if (const std::string words = explained_gpu_failure(devices.problem); !words.empty())
      throw SystemError(fmt::format("device {}: {}", printable(name), words));
    fail(devices.problem.empty() ? "the driver shows no CUDA device" : devices.problem);
  }
  if (index >= devices.count) {
    fail(fmt::format("there {} {} CUDA device{}, numbered from 0",
                     devices.count == 1 ? "is" : "are", devices.count,
                     devices.count == 1 ? "" : "s"));
  }
  return {at::kCUDA, static_cast<c10::DeviceIndex>(index)};
}

at::Device automatic_device() {
  if (!cuda::driver_present()) {
    return at::kCPU;
  }
  const cuda::Module& module = cuda::open_module();
  if (module.table == nullptr) {
    log::info("there is an NVIDIA driver, but {}; using the CPU", module.problem);
    return at::kCPU;
  }
  const cuda::DeviceCount devices = module.table->device_count();
  if (devices.count == 0) {
    // What somebody can mend is worth a warning.
    if (const std::string words = explained_gpu_failure(devices.problem); !words.empty())
      log::warning("{} Using the CPU.", words);
    else
      log::info("there is an NVIDIA driver, but no usable device ({}); using the CPU",
                devices.problem.empty() ? "none shown" : devices.problem);
    return at::kCPU;
  }
  return {at::kCUDA, 0};
}

}  // namespace

at::Device resolve_device(std::string_view name) {
  if (name == "auto") {
    return automatic_device();
  }
  if (name == "cpu") {
    return at::kCPU;
  }
  if (name == "cuda") {
    return named_cuda_device(name, 0);
  }
  if (name.starts_with(kCudaPrefix)) {
    return named_cuda_device(name, parse_cuda_index(name));
  }
  throw UsageError(
      fmt::format("device \"{}\": expected auto, cpu, cuda or cuda:i", printable(name)));
}

int set_thread_count(std::int64_t threads) {
  if (threads < 0 || threads > kMostThreads) {
    throw UsageError(fmt::format("threads: {} is not allowed; expected 1 to {}, or 0 for all cores",
                                 threads, kMostThreads));
  }
  if (threads > available_cores()) {
    log::warning("{} threads on {} core{}: they wait for each other, {} would be faster", threads,
                 available_cores(), available_cores() == 1 ? "" : "s",
                 available_cores() == 1 ? "one" : std::to_string(available_cores()));
  }
  const int wanted = threads == 0 ? available_cores() : static_cast<int>(threads);
  // Setting also starts a pool of LibTorch's that nothing here uses, whose threads spin at first.
  if (wanted != at::get_num_threads()) at::set_num_threads(wanted);
  return at::get_num_threads();
}

OneThreadScope::OneThreadScope(bool wanted) : before_(0) {
  if (!wanted || at::get_num_threads() == 1) return;
  before_ = at::get_num_threads();
  at::set_num_threads(1);
}

OneThreadScope::~OneThreadScope() {
  if (before_ > 0) at::set_num_threads(before_);
}

at::Generator make_generator(at::Device device, std::uint64_t seed) {
  if (device.is_cuda()) {
    return cuda_table().make_generator(device.index(), seed);
  }
  return at::detail::createCPUGenerator(seed);
}

void synchronize(at::Device device) {
  if (device.is_cuda()) {
    cuda_table().synchronize(device.index());
  }
}

DeviceMemory device_memory(at::Device device) {
  return device.is_cuda() ? cuda_table().memory(device.index()) : DeviceMemory{};
}

void reset_peak_memory(at::Device device) {
  if (device.is_cuda()) {
    cuda_table().reset_peak_memory(device.index());
  }
}

bool is_out_of_memory(const c10::Error& error) {
  const std::string_view text = error.what_without_backtrace();
  return dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr ||
         text.find("allocate memory") != std::string_view::npos ||
         gpu_failure(text) == GpuFailure::out_of_memory;
}

std::string memory_request(const c10::Error& error) {
  std::string text = error.what_without_backtrace();
  if (gpu_failure(text) == GpuFailure::out_of_memory) return gpu_memory_request(text);
  if (const std::size_t found = text.find("DefaultCPUAllocator"); found != std::string::npos)
    text = text.substr(found);
  return text.substr(0, text.find('\n'));
}

std::string device_description(at::Device device) {
  if (device.is_cuda()) {
    return cuda_table().device_name(device.index());
  }
  const int threads = at::get_num_threads();
  return fmt::format("CPU, {} thread{}", threads, threads == 1 ? "" : "s");
}

}  // namespace diffuse
