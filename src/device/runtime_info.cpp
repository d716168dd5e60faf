#include <ATen/Version.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include <filesystem>

#include "device/cuda_module.hpp"
#include "diffuse/device/device.hpp"

namespace diffuse {
namespace {

/// LibTorch has no function for its version; its configuration text holds it.
std::string libtorch_version() {
  constexpr std::string_view kKey = "TORCH_VERSION=";
  const std::string text = at::show_config();
  const std::size_t start = text.find(kKey);
  if (start == std::string::npos) {
    return "unknown";
  }
  const std::size_t first = start + kKey.size();
  return text.substr(first, text.find_first_of(", \n", first) - first);
}

std::string libtorch_folder() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&at::show_config), &info) == 0) {
    return "unknown";
  }
  std::error_code error;
  const auto file = std::filesystem::weakly_canonical(info.dli_fname, error);
  return error ? "unknown" : file.parent_path().string();
}

std::string cuda_line() {
  if (!cuda::driver_present()) {
    return "no NVIDIA driver on this machine";
  }
  const cuda::Module& module = cuda::open_module();
  if (module.table == nullptr) {
    return module.problem;
  }
  const cuda::DeviceCount devices = module.table->device_count();
  if (devices.count == 0) {
    return devices.problem.empty() ? "the driver shows no device" : devices.problem;
  }
  std::string line = module.table->versions();
  for (int i = 0; i < devices.count; ++i) {
    line += fmt::format(", cuda:{} {}", i, module.table->device_name(i));
  }
  return line;
}

}  // namespace

RuntimeInfo runtime_info() {
  // The CUDA line first: the version's text asks ATen about CUDA, and ATen keeps the answer.
  RuntimeInfo info;
  info.cuda = cuda_line();
  info.libtorch_version = libtorch_version();
  info.libtorch_folder = libtorch_folder();
  return info;
}

}  // namespace diffuse
