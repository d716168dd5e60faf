#include "diffuse/device/device.hpp"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "device/cuda_module.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/system.hpp"
#include "support/temp_dir.hpp"

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

TEST(Threads, MoreThanCoresAreWarnedAbout) {
  const testing::TempDir dir;
  const std::string path = (dir.path() / "log").string();
  log::open_file(path);
  set_thread_count(available_cores());
  set_thread_count(available_cores() + 1);
  log::close_file();
  set_thread_count(0);
  const std::string text = read_file(path);
  EXPECT_THAT(text, ::testing::HasSubstr(std::to_string(available_cores() + 1) + " threads on "));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
}

TEST(Threads, ZeroMeansAllCores) { EXPECT_EQ(set_thread_count(0), available_cores()); }

TEST(Threads, OutOfRange) {
  for (const std::int64_t threads : {std::int64_t{-1}, std::int64_t{4097}}) {
    EXPECT_THAT([&] { set_thread_count(threads); },
                ThrowsMessage<UsageError>(AllOf(StartsWith("threads: " + std::to_string(threads)),
                                                HasSubstr("1 to 1024"))));
  }
}

TEST(OneThreadScope, EndsWithAsManyThreadsAsBefore) {
  const int before = at::get_num_threads();
  at::set_num_threads(3);
  {
    const OneThreadScope scope;
    EXPECT_EQ(at::get_num_threads(), 1);
    const OneThreadScope inner;
    EXPECT_EQ(at::get_num_threads(), 1);
  }
  EXPECT_EQ(at::get_num_threads(), 3);
  try {
    const OneThreadScope scope;
    throw std::runtime_error("in the middle");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(at::get_num_threads(), 3);
  {
    const OneThreadScope unwanted(false);
    EXPECT_EQ(at::get_num_threads(), 3);
  }
  at::set_num_threads(before);
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

std::int64_t page_faults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

TEST(Allocator, KeepsFreedTensors) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer has an allocator of its own";
#endif
  ASSERT_TRUE(tune_allocator());
  // Otherwise every freed tensor of 8 MB is handed back, or left behind as a hole, and 2048 pages
  // are faulted in for the next.
  constexpr int kRounds = 20;
  constexpr int kPages = 2048;
  at::zeros({2 << 20});
  const std::int64_t before = page_faults();
  for (int i = 0; i < kRounds; ++i) {
    at::zeros({2 << 20});
  }
  EXPECT_LT(page_faults() - before, 2 * kPages);
}

TEST(Allocator, BlocksAreAlignedAndApart) {
  tune_allocator();
  std::vector<at::Tensor> tensors;
  for (const std::int64_t bytes : {0, 1, 15, 16, 17, 63, 64, 65, 1000, 1 << 20}) {
    tensors.push_back(at::full({bytes}, static_cast<std::int64_t>(tensors.size()), at::kByte));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensors.back().data_ptr()) % 64, 0U) << bytes;
  }
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    EXPECT_TRUE(tensors[i].eq(static_cast<std::int64_t>(i)).all().item<bool>()) << i;
  }
}

TEST(Allocator, TensorsGrowInPlaceWithTheirContent) {
  tune_allocator();
  at::Tensor tensor = at::full({100}, 7, at::kInt);
  tensor.resize_({100'000});
  EXPECT_TRUE(tensor.slice(0, 0, 100).eq(7).all().item<bool>());
}

TEST(Allocator, AskingForTooMuchIsAnError) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer ends the program instead";
#endif
  tune_allocator();
  try {
    at::empty({std::int64_t{1} << 60}, at::kByte);
    FAIL() << "no machine has that much";
  } catch (const c10::Error& error) {
    EXPECT_TRUE(is_out_of_memory(error));
    EXPECT_EQ(memory_request(error),
              "The machine has no block of 1152921504606846976 bytes for a tensor.");
  }
}

}  // namespace
}  // namespace diffuse
