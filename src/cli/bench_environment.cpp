#include "bench_environment.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>

#include "diffuse/base/build_info.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/ops/fused_diffusion.hpp"

namespace diffuse::cli {
namespace {

// Processes that want to run, beside this one, above which a machine counts as busy.
constexpr double kBusyLoad = 0.5;

/// "2,400 to 3,100 MHz" of the cores, as the system says.
std::string clock_text() {
  std::ifstream file("/proc/cpuinfo");
  double low = 0;
  double high = 0;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("cpu MHz")) continue;
    const double value = std::strtod(line.c_str() + line.find(':') + 1, nullptr);
    low = low == 0 ? value : std::min(low, value);
    high = std::max(high, value);
  }
  if (high == 0) return "not known";
  return low == high ? fmt::format("{:.0f} MHz", high)
                     : fmt::format("{:.0f} to {:.0f} MHz", low, high);
}

/// "AVX-512", and another set where products of bf16 numbers have one.
std::string fused_kernel_text() {
  const std::string_view set = FusedDiffusion::instruction_sets().front();
  const std::string_view bf16 = FusedDiffusion::instruction_sets(true).front();
  return bf16 == set ? std::string(set) : fmt::format("{}, in bf16 {}", set, bf16);
}

double load_average() {
  double load = 0;
  return getloadavg(&load, 1) == 1 ? load : 0;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> bench_environment(
    const std::vector<BenchCase>& cases) {
  const BuildInfo& build = build_info();
  const RuntimeInfo found = runtime_info();
  std::set<std::string> devices;
  std::set<int> threads;
  for (const BenchCase& one : cases) {
    devices.insert(one.device);
    threads.insert(one.threads);
  }
  return {
      {"diffuse", fmt::format("{} (commit {}, {})", build.version, build.commit, build.build_type)},
      {"compiler", fmt::format("{} ({})", build.compiler, build.flags)},
      {"LibTorch", found.libtorch_version},
      {"devices", fmt::format("{}", fmt::join(devices, ", "))},
      {"CUDA", found.cuda},
      {"threads", fmt::format("{}", fmt::join(threads, ", "))},
      {"processor", fmt::format("{}, {} cores", cpu_model(), available_cores())},
      {"fused kernel", fused_kernel_text()},
      {"clocks", clock_text()},
      {"free memory", format_bytes(static_cast<double>(available_memory_bytes()))},
      {"time", utc_now()}};
}

std::vector<std::string> noise_warnings() {
  const double load = load_average();
  if (load <= kBusyLoad) return {};
  return {
      fmt::format("the machine was busy at the start (load average {:.1f}): times are too long, "
                  "ratios less sure",
                  load)};
}

}  // namespace diffuse::cli
