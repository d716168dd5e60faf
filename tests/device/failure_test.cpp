#include "diffuse/device/failure.hpp"

#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "diffuse/device/device.hpp"
#include "diffuse/device/free_memory.hpp"

namespace diffuse {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// What LibTorch 2.11 throws where a call of CUDA's failed.
c10::AcceleratorError cuda_error(const std::string& words, const std::string& name) {
  return {
      c10::SourceLocation{"run", "CUDAException.cpp", 42}, 1,
      "CUDA error: " + words + "\nSearch for `" + name +
          "' in https://docs.nvidia.com/cuda/cuda-runtime-api/group__CUDART__TYPES.html for "
          "more information.\nCUDA kernel errors might be asynchronously reported at some other "
          "API call, so the stacktrace below might be incorrect.\nFor debugging consider "
          "passing CUDA_LAUNCH_BLOCKING=1\nCompile with `TORCH_USE_CUDA_DSA` to enable "
          "device-side assertions.\n"};
}

c10::OutOfMemoryError out_of_memory_error() {
  return {
      c10::SourceLocation{"malloc", "CUDACachingAllocator.cpp", 1},
      "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 79.11 GiB "
      "of which 1.20 GiB is free. Process 1234 has 60.00 GiB memory in use. Including "
      "non-PyTorch memory, this process has 17.91 GiB memory in use. Of the allocated memory "
      "16.00 GiB is allocated by PyTorch, and 1.00 GiB is reserved by PyTorch but unallocated. "
      "If reserved but unallocated memory is large try setting "
      "PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True to avoid fragmentation."};
}

TEST(Failure, OfEachKindIsKnownByItsText) {
  const std::vector<std::pair<std::string, GpuFailure>> known = {
      {"unspecified launch failure", GpuFailure::lost},
      {"device-side assert triggered", GpuFailure::lost},
      {"uncorrectable ECC error encountered", GpuFailure::lost},
      {"an illegal memory access was encountered", GpuFailure::lost},
      {"the launch timed out and was terminated", GpuFailure::lost},
      {"unknown error", GpuFailure::lost},
      {"GPU is lost", GpuFailure::lost},
      {"CUDA driver version is insufficient for CUDA runtime version", GpuFailure::old_driver},
      {"the provided PTX was compiled with an unsupported toolchain.", GpuFailure::old_driver},
      {"forward compatibility was attempted on non supported HW", GpuFailure::old_driver},
      {"no kernel image is available for execution on the device", GpuFailure::other_kind},
      {"CUDA-capable device(s) is/are busy or unavailable", GpuFailure::busy},
      {"all CUDA-capable devices are busy or unavailable", GpuFailure::busy},
      {"out of memory", GpuFailure::out_of_memory},
      {"CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`", GpuFailure::out_of_memory},
      {"invalid argument", GpuFailure::none}};
  for (const auto& [words, failure] : known) {
    const c10::AcceleratorError error = cuda_error(words, "cudaError");
    EXPECT_EQ(gpu_failure(error.what_without_backtrace()), failure) << words;
    EXPECT_EQ(gpu_failure("CUDA says: " + words), failure) << words;  // as device_count tells it
    EXPECT_EQ(is_out_of_memory(error), failure == GpuFailure::out_of_memory) << words;
    if (failure == GpuFailure::none) continue;
    std::string own = words;
    if (own.ends_with('.')) own.pop_back();
    EXPECT_THAT(explained(error), AllOf(HasSubstr("(" + own + ")"), Not(HasSubstr("CUDA error")),
                                        Not(HasSubstr("Search for")), Not(HasSubstr("stacktrace"))))
        << words;
  }
}

TEST(Failure, OfALostGpuSaysWhatItMeansAndWhatToDo) {
  EXPECT_THAT(explained(cuda_error("unspecified launch failure", "cudaErrorLaunchFailure")),
              AllOf(StartsWith("The GPU failed (unspecified launch failure). "),
                    HasSubstr("nor can it use the GPU again"), HasSubstr("nvidia-smi"),
                    HasSubstr("Xid"), HasSubstr("diffuse selftest"), HasSubstr("--device cpu")));
}

TEST(Failure, OfADriverNamesWhereBothVersionsStand) {
  EXPECT_THAT(explained_gpu_failure(
                  "CUDA says: CUDA driver version is insufficient for CUDA runtime version"),
              AllOf(StartsWith("The NVIDIA driver does not suit LibTorch's CUDA (CUDA driver "
                               "version is insufficient for CUDA runtime version): "),
                    HasSubstr("`diffuse version`"), HasSubstr("Install a newer driver"),
                    HasSubstr("--device cpu")));
}

TEST(Failure, OfAnotherKindOfGpuNamesTheLeastThatRuns) {
  EXPECT_THAT(explained_gpu_failure("no kernel image is available for execution on the device"),
              AllOf(HasSubstr("was not compiled for"), HasSubstr("compute capability 7.5"),
                    HasSubstr("--device")));
}

TEST(Failure, OfAGpuThatIsTakenNamesItsMode) {
  EXPECT_THAT(explained(cuda_error("CUDA-capable device(s) is/are busy or unavailable",
                                   "cudaErrorDevices")),
              AllOf(StartsWith("The GPU takes no further process"), HasSubstr("exclusive"),
                    HasSubstr("--device cuda:1")));
}

TEST(Failure, OfMemorySaysHowMuchIsFreeOfHowMuch) {
  const c10::OutOfMemoryError error = out_of_memory_error();
  EXPECT_TRUE(is_out_of_memory(error));
  EXPECT_EQ(memory_request(error),
            "The GPU has 1.20 GiB of its 79.11 GiB free, and 20.00 GiB more were wanted at once. "
            "Other processes may hold some of it: nvidia-smi lists them.");
  EXPECT_THAT(explained(error),
              AllOf(StartsWith("Out of memory. The GPU has 1.20 GiB of its 79.11 GiB free"),
                    HasSubstr("train.batch_size"), HasSubstr("tokenizer.max_tokens"),
                    HasSubstr("--batch-size"), HasSubstr("train.precision"),
                    Not(HasSubstr("PYTORCH_CUDA_ALLOC_CONF"))));
}

TEST(Failure, OfMemoryThatCudaDoesNotTellOfSaysThatThereIsNone) {
  EXPECT_EQ(memory_request(cuda_error("out of memory", "cudaErrorMemoryAllocation")),
            "The GPU has no more free (out of memory). Other processes may hold some of it: "
            "nvidia-smi lists them.");
}

TEST(Failure, OfAnythingElseIsLibTorchsTextWithoutItsSources) {
  try {
    TORCH_CHECK(false, "expected 3 rows");
  } catch (const c10::Error& error) {
    EXPECT_EQ(explained(error), "expected 3 rows");
    EXPECT_FALSE(is_out_of_memory(error));
  }
  EXPECT_EQ(explained_gpu_failure("expected 3 rows"), "");
}

TEST(FailureDeathTest, ThatNoCatchCanReachIsExplained) {
  const auto fail = [] {
    throw cuda_error("unspecified launch failure", "cudaErrorLaunchFailure");
  };
  const auto give_back = [&fail]() noexcept { fail(); };
  EXPECT_EXIT(
      {
        explain_terminations();
        give_back();
      },
      ::testing::ExitedWithCode(1), "The GPU failed \\(unspecified launch failure\\)");
}

TEST(FreeMemory, OfTheMachineIsSomething) { EXPECT_GT(free_memory(at::kCPU).free_bytes, 0); }

}  // namespace
}  // namespace diffuse
