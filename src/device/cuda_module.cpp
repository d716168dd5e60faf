#include "device/cuda_module.hpp"

#include <dlfcn.h>
#include <fmt/core.h>

#include <filesystem>
#include <system_error>

#include "diffuse/base/build_info.hpp"

namespace diffuse::cuda {
namespace {

constexpr const char* kModuleFile = "libdiffuse_cuda.so";

std::filesystem::path program_folder() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
}

std::string loader_error() {
  const char* text = dlerror();
  return text == nullptr ? "unknown error" : text;
}

Module open_file(const std::string& file) {
  // Never closed: LibTorch's registrations cannot be undone.
  void* handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    return {nullptr, fmt::format("the CUDA module cannot be loaded: {}", loader_error())};
  }
  using Entry = const Table* (*)();
  const auto entry = reinterpret_cast<Entry>(dlsym(handle, kTableSymbol));
  if (entry == nullptr) {
    return {nullptr, fmt::format("{} is not a CUDA module of diffuse: {}", file, loader_error())};
  }
  const Table* table = entry();
  if (table->version != kTableVersion) {
    return {nullptr, fmt::format("{} belongs to another build of diffuse (interface {}, expected "
                                 "{}); build it again",
                                 file, table->version, kTableVersion)};
  }
  if (table->libtorch_version != build_info().libtorch_version) {
    return {nullptr, fmt::format("{} was built against LibTorch {}, the program against {}; build "
                                 "both again",
                                 file, table->libtorch_version, build_info().libtorch_version)};
  }
  return {table, {}};
}

Module find_and_open() {
  const Module beside = open_module_in(program_folder().string());
  if (beside.table != nullptr || std::filesystem::exists(program_folder() / kModuleFile)) {
    return beside;
  }
  const Module found = open_file(kModuleFile);
  if (found.table != nullptr || build_info().cuda_module) {
    return found;
  }
  return {nullptr,
          "this diffuse was built without its CUDA module; install the CUDA toolkit (nvcc), then "
          "run scripts/setup.sh again"};
}

}  // namespace

bool driver_present() {
  static const bool present = [] {
    void* handle = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
    return handle != nullptr;  // kept open: LibTorch opens it next
  }();
  return present;
}

const Module& open_module() {
  static const Module module = find_and_open();
  return module;
}

Module open_module_in(const std::string& folder) {
  return open_file((std::filesystem::path(folder) / kModuleFile).string());
}

}  // namespace diffuse::cuda
