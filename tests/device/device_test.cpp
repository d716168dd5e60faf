#include "diffuse/device/device.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "device/cuda_module.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/system.hpp"

namespace diffuse {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;

TEST(Device, CpuByName) { EXPECT_EQ(resolve_device("cpu"), at::Device(at::kCPU)); }

TEST(Device, AutoIsTheCpuWithoutADriver) {
  if (cuda::driver_present()) {
    GTEST_SKIP() << "this machine has an NVIDIA driver";
  }
  EXPECT_EQ(resolve_device("auto"), at::Device(at::kCPU));
}

TEST(Device, CudaWithoutADriverSaysSo) {
  if (cuda::driver_present()) {
    GTEST_SKIP() << "this machine has an NVIDIA driver";
  }
  for (const char* name : {"cuda", "cuda:0", "cuda:1"}) {
    EXPECT_THAT([&] { resolve_device(name); },
                ThrowsMessage<SystemError>(AllOf(StartsWith(std::string("device ") + name + ":"),
                                                 HasSubstr("no NVIDIA driver on this machine"),
                                                 HasSubstr("--device cpu"))));
  }
}

TEST(Device, OtherNamesAreTheUsersMistake) {
  for (const char* name : {"", "gpu", "CPU", "cpu:0", "cuda0", "auto "}) {
    EXPECT_THAT([&] { resolve_device(name); },
                ThrowsMessage<UsageError>(AllOf(HasSubstr(std::string("\"") + name + "\""),
                                                HasSubstr("expected auto, cpu, cuda or cuda:i"))))
        << name;
  }
}

TEST(Device, IndexMustBeANumber) {
  for (const char* name : {"cuda:", "cuda:x", "cuda:-1", "cuda:1x", "cuda: 1", "cuda:1000",
                           "cuda:99999999999999999999"}) {
    EXPECT_THAT([&] { resolve_device(name); },
                ThrowsMessage<UsageError>(AllOf(HasSubstr(name), HasSubstr("i = 0, 1"))))
        << name;
  }
}

TEST(Threads, SetAndReported) {
  EXPECT_EQ(set_thread_count(2), 2);
  EXPECT_EQ(device_description(at::kCPU), "CPU, 2 threads");
  EXPECT_EQ(set_thread_count(1), 1);
  EXPECT_EQ(device_description(at::kCPU), "CPU, 1 thread");
}

TEST(Threads, ZeroMeansAllCores) { EXPECT_EQ(set_thread_count(0), available_cores()); }

TEST(Threads, OutOfRange) {
  for (const std::int64_t threads : {std::int64_t{-1}, std::int64_t{4097}}) {
    EXPECT_THAT([&] { set_thread_count(threads); },
                ThrowsMessage<UsageError>(AllOf(StartsWith("threads: " + std::to_string(threads)),
                                                HasSubstr("1 to 4096"))));
  }
}

TEST(Generator, SeedDecidesTheNumbers) {
  const auto draw = [](std::uint64_t seed) {
    return at::randn({64}, make_generator(at::kCPU, seed));
  };
  EXPECT_TRUE(draw(7).equal(draw(7)));
  EXPECT_FALSE(draw(7).equal(draw(8)));
}

TEST(Generator, StreamsAreIndependent) {
  at::Generator first = make_generator(at::kCPU, 7);
  at::Generator second = make_generator(at::kCPU, 7);
  const at::Tensor expected = at::randn({8}, first);
  at::randn({1000}, first);  // must not move the other
  EXPECT_TRUE(at::randn({8}, second).equal(expected));
}

TEST(Memory, NothingToReportOnTheCpu) {
  reset_peak_memory(at::kCPU);
  synchronize(at::kCPU);
  const DeviceMemory memory = device_memory(at::kCPU);
  EXPECT_EQ(memory.allocated_peak_bytes, 0);
  EXPECT_EQ(memory.reserved_peak_bytes, 0);
  EXPECT_EQ(memory.used_bytes, 0);
}

TEST(Allocator, KeepsFreedTensors) {
  ASSERT_TRUE(tune_allocator());
  // Without the setting every freed tensor of 8 MB is handed back, and its pages faulted in anew.
  constexpr int kRounds = 20;
  constexpr int kPages = 2048;
  const auto faults = [] {
    const at::Tensor tensor = at::randn({2 << 20});
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
  };
  // glibc places an aligned block a little further on each time, until a freed one fits.
  for (int i = 0; i < 2 * kRounds; ++i) {
    faults();
  }
  const auto before = faults();
  for (int i = 0; i < kRounds; ++i) {
    faults();
  }
  EXPECT_LT(faults() - before, kRounds / 2 * kPages);
}

}  // namespace
}  // namespace diffuse
