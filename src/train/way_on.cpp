#include "diffuse/train/way_on.hpp"

#include <c10/util/Exception.h>
#include <fmt/core.h>

#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/device/failure.hpp"
#include "diffuse/train/memory_estimate.hpp"

namespace diffuse {

void with_way_on(const std::function<std::string()>& way_on, const std::function<void()>& work) {
  try {
    work();
  } catch (const OutOfMemory& error) {
    throw OutOfMemory(fmt::format("{}\n{}", error.what(), way_on()));
  } catch (const c10::Error& error) {
    const bool no_memory = is_out_of_memory(error);
    if (!no_memory && gpu_failure(error.what_without_backtrace()) == GpuFailure::none) throw;
    log::debug("{}", error.what());
    const std::string text = fmt::format("{}\n{}", explained(error), way_on());
    if (no_memory) throw OutOfMemory(text);
    throw SystemError(text);
  }
}

}  // namespace diffuse
