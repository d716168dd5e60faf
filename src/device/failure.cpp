#include "diffuse/device/failure.hpp"

#include <c10/util/Exception.h>
#include <fmt/core.h>

#include <cstdio>
#include <cstdlib>
#include <exception>

#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/device/device.hpp"

namespace diffuse {
namespace {

/// What CUDA 11 to 13, cuBLAS, NVML and LibTorch say. Each of CUDA's errors comes from LibTorch
/// with hints about stack traces and "device-side assertions" behind it, which say nothing of its
/// kind.
struct FailureText {
  std::string_view words;
  GpuFailure failure;
};
constexpr FailureText kFailureTexts[] = {
    {"CUDA out of memory", GpuFailure::out_of_memory},
    {"CUDA error: out of memory", GpuFailure::out_of_memory},
    {"CUDA says: out of memory", GpuFailure::out_of_memory},
    {"CUBLAS_STATUS_ALLOC_FAILED", GpuFailure::out_of_memory},
    {"driver version is insufficient", GpuFailure::old_driver},
    {"PTX was compiled with an unsupported toolchain", GpuFailure::old_driver},
    {"unsupported display driver / cuda driver combination", GpuFailure::old_driver},
    {"forward compatibility was attempted on non supported HW", GpuFailure::old_driver},
    {"NVIDIA driver on your system is too old", GpuFailure::old_driver},
    {"no kernel image is available", GpuFailure::other_kind},
    {"busy or unavailable", GpuFailure::busy},
    {"exclusive-thread device already in use", GpuFailure::busy},
    {"resources required to create MPS client have been exhausted", GpuFailure::busy},
    {"unspecified launch failure", GpuFailure::lost},
    {"launch timed out and was terminated", GpuFailure::lost},
    {"device-side assert triggered", GpuFailure::lost},
    {"illegal memory access", GpuFailure::lost},
    {"illegal instruction", GpuFailure::lost},
    {"misaligned address", GpuFailure::lost},
    {"ECC error", GpuFailure::lost},
    {"GPU is lost", GpuFailure::lost},
    {"fallen off the bus", GpuFailure::lost},
    {"Xid", GpuFailure::lost},
    {"hardware stack error", GpuFailure::lost},
    {"MPS client has been terminated", GpuFailure::lost},
    {"CUDA error: unknown error", GpuFailure::lost},
    {"CUDA says: unknown error", GpuFailure::lost},
};

/// CUDA's words alone: "unspecified launch failure".
std::string_view first_line(std::string_view text) {
  text = text.substr(0, text.find('\n'));
  for (const std::string_view before : {"CUDA error: ", "CUDA says: "})
    if (const std::size_t found = text.find(before); found != std::string_view::npos)
      text = text.substr(found + before.size());
  while (text.ends_with('.')) text.remove_suffix(1);
  return text;
}

/// What stands in `text` between the two; empty: nothing does.
std::string_view between(std::string_view text, std::string_view before, std::string_view behind) {
  const std::size_t begin = text.find(before);
  if (begin == std::string_view::npos) return {};
  text = text.substr(begin + before.size());
  const std::size_t end = text.find(behind);
  return end == std::string_view::npos ? std::string_view() : text.substr(0, end);
}

std::terminate_handler terminate_otherwise = nullptr;

void explain_and_exit() {
  if (const std::exception_ptr thrown = std::current_exception()) {
    try {
      std::rethrow_exception(thrown);
    } catch (const c10::Error& error) {
      log::error("{}", explained(error));
      std::fflush(nullptr);
      std::_Exit(1);
    } catch (...) {  // not ours to explain
    }
  }
  terminate_otherwise();
}

}  // namespace

void explain_terminations() { terminate_otherwise = std::set_terminate(explain_and_exit); }

std::string gpu_memory_request(std::string_view text) {
  const std::string_view wanted = between(text, "Tried to allocate ", ". ");
  const std::string_view total = between(text, "total capacity of ", " of which ");
  const std::string_view free = between(text, " of which ", " is free");
  // LibTorch's allocator says what there is; CUDA itself and its libraries do not.
  const std::string what =
      wanted.empty() || total.empty() || free.empty()
          ? fmt::format("The GPU has no more free ({}).", first_line(text))
          : fmt::format("The GPU has {} of its {} free, and {} more were wanted at once.", free,
                        total, wanted);
  return what + " Other processes may hold some of it: nvidia-smi lists them.";
}

GpuFailure gpu_failure(std::string_view text) {
  for (const auto& [words, failure] : kFailureTexts)
    if (text.find(words) != std::string_view::npos) return failure;
  return GpuFailure::none;
}

std::string explained_gpu_failure(std::string_view text) {
  switch (gpu_failure(text)) {
    case GpuFailure::none:
      return "";
    case GpuFailure::out_of_memory:
      return fmt::format("Out of memory. {} {} Half precision takes less (train.precision = bf16).",
                         gpu_memory_request(text), kMemoryAdvice);
    case GpuFailure::lost:
      return fmt::format(
          "The GPU failed ({}). Nothing that this process has there can be read any more, nor can "
          "it use the GPU again. A fault of the GPU or its driver, a reset, or a mistake in a "
          "kernel may be the cause: nvidia-smi and the system's log (Xid, ECC) tell of the first "
          "two, `diffuse selftest --device cuda` of the last. --device cpu works without.",
          first_line(text));
    case GpuFailure::busy:
      return fmt::format(
          "The GPU takes no further process ({}): another one has it for itself, or its compute "
          "mode is exclusive or prohibited (nvidia-smi -q -d COMPUTE). Wait for the other process, "
          "which nvidia-smi lists, take another GPU (--device cuda:1) or --device cpu.",
          first_line(text));
    case GpuFailure::old_driver:
      return fmt::format(
          "The NVIDIA driver does not suit LibTorch's CUDA ({}): `diffuse version` tells the "
          "version that is needed, nvidia-smi the one that the driver has. Install a newer driver, "
          "or use a LibTorch for an older CUDA; --device cpu works without.",
          first_line(text));
    case GpuFailure::other_kind:
      return fmt::format(
          "The GPU is of a kind that this program or LibTorch was not compiled for ({}): diffuse "
          "runs on compute capability 7.5 and up, which `diffuse version` tells of each GPU. Take "
          "another GPU (--device cuda:1) or --device cpu.",
          first_line(text));
  }
  throw Error("explained_gpu_failure: not a failure");
}

std::string explained(const c10::Error& error) {
  const std::string text = error.what_without_backtrace();
  if (const std::string words = explained_gpu_failure(text); !words.empty()) return words;
  if (is_out_of_memory(error))
    return fmt::format("Out of memory. {}\n{}", kMemoryAdvice, memory_request(error));
  return text;
}

}  // namespace diffuse
