#include "diffuse/device/free_memory.hpp"

#include "device/cuda_module.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/system.hpp"

namespace diffuse {

FreeMemory free_memory(at::Device device) {
  if (!device.is_cuda()) return {.free_bytes = available_memory_bytes()};
  const cuda::Module& module = cuda::open_module();
  if (module.table == nullptr) throw SystemError(module.problem);
  return module.table->free_memory(device.index());
}

}  // namespace diffuse
