#include "diffuse/base/system.hpp"

#include <sched.h>
#include <sys/utsname.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <string_view>
#include <thread>
#include <vector>

#include "diffuse/base/error.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;

/// What follows `key` and a colon in a file of such lines.
std::optional<std::string> field_of(const char* file, std::string_view key) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos || colon < key.size()) continue;
    const std::string_view name = std::string_view(line).substr(0, colon);
    if (!name.starts_with(key) ||
        name.find_first_not_of(" \t", key.size()) != std::string_view::npos) {
      continue;
    }
    const std::size_t start = line.find_first_not_of(" \t", colon + 1);
    return start == std::string::npos ? std::string() : line.substr(start);
  }
  return std::nullopt;
}

/// A field in kB, as bytes.
std::int64_t kilobytes_of(const char* file, std::string_view key) {
  const std::optional<std::string> text = field_of(file, key);
  std::int64_t kilobytes = 0;
  if (!text ||
      std::from_chars(text->data(), text->data() + text->size(), kilobytes).ec != std::errc{}) {
    throw SystemError(std::string(file) + ": the line " + std::string(key) +
                      " is missing; is /proc mounted?");
  }
  return kilobytes * 1024;
}

/// Folders of this process's control group (version 2), innermost first. Inside a container the
/// group's path often is the host's: then only the root, which is the container's own, exists.
std::vector<fs::path> control_groups() {
  const fs::path root = "/sys/fs/cgroup";
  std::vector<fs::path> folders;
  std::ifstream lines("/proc/self/cgroup");
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("0::/")) continue;
    for (fs::path group = line.substr(4); !group.empty(); group = group.parent_path()) {
      folders.push_back(root / group);
    }
  }
  folders.push_back(root);
  return folders;
}

/// The words of a one-line file; none where it cannot be read.
std::vector<std::string> words_of(const fs::path& file) {
  std::ifstream stream(file);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

std::optional<double> number_in(const fs::path& file, std::size_t word = 0) {
  const std::vector<std::string> words = words_of(file);
  double number = 0;
  if (word >= words.size()) return std::nullopt;
  const std::string& text = words[word];  // "max" means no limit
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc{}) {
    return std::nullopt;
  }
  return number;
}

/// What a limit leaves: pages of files count as free, the kernel drops them first.
double left_of(double limit, double used, const fs::path& statistics, std::string_view file_key) {
  const std::vector<std::string> words = words_of(statistics);
  double reclaimable = 0;
  for (std::size_t i = 0; i + 1 < words.size(); i += 2) {
    if (words[i] == file_key) reclaimable += std::stod(words[i + 1]);
  }
  return std::max(0.0, limit - std::max(0.0, used - reclaimable));
}

}  // namespace

std::int64_t peak_rss_bytes() {
  // Not getrusage: its figure survives exec, so it may be that of the shell that started us.
  return kilobytes_of("/proc/self/status", "VmHWM");
}

void reset_peak_rss() { std::ofstream("/proc/self/clear_refs") << "5"; }

std::int64_t current_rss_bytes() { return kilobytes_of("/proc/self/status", "VmRSS"); }

std::int64_t available_memory_bytes() {
  auto left = static_cast<double>(kilobytes_of("/proc/meminfo", "MemAvailable"));
  for (const fs::path& group : control_groups()) {
    const auto limit = number_in(group / "memory.max");
    const auto used = number_in(group / "memory.current");
    if (limit && used) {
      left = std::min(left, left_of(*limit, *used, group / "memory.stat", "inactive_file"));
    }
  }
  const fs::path first_version = "/sys/fs/cgroup/memory";
  const auto limit = number_in(first_version / "memory.limit_in_bytes");
  const auto used = number_in(first_version / "memory.usage_in_bytes");
  if (limit && used) {
    left = std::min(left,
                    left_of(*limit, *used, first_version / "memory.stat", "total_inactive_file"));
  }
  return static_cast<std::int64_t>(left);
}

int available_cores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  int cores = sched_getaffinity(0, sizeof allowed, &allowed) == 0
                  ? CPU_COUNT(&allowed)
                  : static_cast<int>(std::thread::hardware_concurrency());
  const auto limit_to = [&](std::optional<double> quota, std::optional<double> period) {
    if (quota && period && *quota > 0 && *period > 0) {
      cores = std::min(cores, static_cast<int>(std::ceil(*quota / *period)));
    }
  };
  for (const fs::path& group : control_groups()) {
    limit_to(number_in(group / "cpu.max", 0), number_in(group / "cpu.max", 1));
  }
  const fs::path first_version = "/sys/fs/cgroup/cpu";
  limit_to(number_in(first_version / "cpu.cfs_quota_us"),
           number_in(first_version / "cpu.cfs_period_us"));
  return std::max(cores, 1);
}

double steady_now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text, length};
}

std::string cpu_model() {
  for (const char* key : {"model name", "Model", "Hardware"}) {
    if (auto name = field_of("/proc/cpuinfo", key); name && !name->empty()) return *name;
  }
  utsname system{};
  return uname(&system) == 0 ? system.machine : "unknown";
}

}  // namespace diffuse
