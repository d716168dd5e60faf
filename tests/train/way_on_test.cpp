#include "diffuse/train/way_on.hpp"

#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "diffuse/base/error.hpp"
#include "diffuse/train/memory_estimate.hpp"

namespace diffuse {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;

constexpr const char* kWayOn = "The last checkpoint, c, stands. Go on with:\n  diffuse train";

/// `work` throws `error`, with a way on.
template <class Error>
auto failing_with(const Error& error) {
  return [error] { with_way_on([] { return kWayOn; }, [&] { throw error; }); };
}

TEST(WayOn, OfAGpuThatFailedIsASystemErrorThatEndsWithIt) {
  const c10::AcceleratorError lost(
      c10::SourceLocation{"run", "CUDAException.cpp", 42}, 719,
      "CUDA error: unspecified launch failure\nCompile with `TORCH_USE_CUDA_DSA` to enable "
      "device-side assertions.\n");
  EXPECT_THAT(failing_with(lost),
              ThrowsMessage<SystemError>(
                  AllOf(StartsWith("The GPU failed (unspecified launch failure). "),
                        EndsWith(std::string("\n") + kWayOn), Not(HasSubstr("TORCH_USE")))));
}

TEST(WayOn, OfMemoryStaysATrainingError) {
  // A grid takes that for the end of one run, a GPU that failed for its own.
  EXPECT_THAT(
      failing_with(OutOfMemory("Out of memory. The estimate was 3 MB.")),
      ThrowsMessage<OutOfMemory>(std::string("Out of memory. The estimate was 3 MB.\n") + kWayOn));
  const c10::OutOfMemoryError asked({"malloc", "CUDACachingAllocator.cpp", 1},
                                    "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a "
                                    "total capacity of 8.00 GiB of which 1.00 GiB is free. ");
  EXPECT_THAT(failing_with(asked),
              ThrowsMessage<OutOfMemory>(
                  AllOf(HasSubstr("1.00 GiB of its 8.00 GiB free"), EndsWith(kWayOn))));
}

TEST(WayOn, AnythingElsePasses) {
  EXPECT_THAT(failing_with(TrainingError("The loss is not finite.")),
              ThrowsMessage<TrainingError>("The loss is not finite."));
  EXPECT_THROW(failing_with(c10::Error({"f", "x.cpp", 1}, "expected 3 rows"))(), c10::Error);
  bool done = false;
  with_way_on([]() -> std::string { throw Error("nobody asks"); }, [&] { done = true; });
  EXPECT_TRUE(done);
}

TEST(WithMemoryAdvice, OfAGpuNamesWhatIsFreeTheEstimateAndTheKeys) {
  const Config config;
  const MemoryEstimate estimate{.weights = 3'000'000};
  const c10::OutOfMemoryError asked({"malloc", "CUDACachingAllocator.cpp", 1},
                                    "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a "
                                    "total capacity of 8.00 GiB of which 1.00 GiB is free. ");
  EXPECT_THAT([&] { with_memory_advice(config, estimate, [&] { throw asked; }); },
              ThrowsMessage<OutOfMemory>(
                  AllOf(HasSubstr("1.00 GiB of its 8.00 GiB free, and 2.00 GiB more"),
                        HasSubstr("The estimate was 3.0 MB"), HasSubstr("train.batch_size ("),
                        HasSubstr("tokenizer.max_tokens ("), HasSubstr("train.precision"))));
}

TEST(MemoryWarning, NamesWhatIsFreeAndWhatIsEstimated) {
  const MemoryEstimate estimate{.weights = 3'000'000'000};
  EXPECT_EQ(memory_warning(estimate, {.free_bytes = 3'000'000'000}), "");
  EXPECT_THAT(memory_warning(estimate, {.free_bytes = 2'000'000'000}),
              AllOf(StartsWith("The machine has 2.0 GB of memory free"), HasSubstr("3.0 GB")));
  EXPECT_THAT(
      memory_warning(estimate, {.free_bytes = 2'000'000'000, .total_bytes = 80'000'000'000}),
      AllOf(StartsWith("The GPU has 2.0 GB of its 80.0 GB free, less than the estimate of 3.0 GB"),
            HasSubstr("other processes"), HasSubstr("train.batch_size")));
  EXPECT_THAT(memory_warning(estimate, {.free_bytes = 2'000'000'000, .total_bytes = 2'500'000'000}),
              AllOf(HasSubstr("more than it has at all"), Not(HasSubstr("other processes"))));
}

}  // namespace
}  // namespace diffuse
