#include "diffuse/base/progress.hpp"

#include <fmt/core.h>

#include <array>
#include <cmath>

#include "terminal_line.hpp"

namespace diffuse {
namespace {

constexpr std::chrono::milliseconds kBetweenUpdates{200};

}  // namespace

std::string format_duration(double seconds) {
  // Beyond this the figure is no duration of ours, and it would not fit an integer.
  if (!std::isfinite(seconds) || std::abs(seconds) > 1e15) return "n/a";
  const std::string sign = seconds < 0 ? "-" : "";
  seconds = std::abs(seconds);
  if (std::llround(seconds * 10) < 600) return fmt::format("{}{:.1f}s", sign, seconds);
  const long long whole = std::llround(seconds);
  const long long hours = whole / 3600;
  const long long minutes = whole / 60 % 60;
  if (hours == 0) return fmt::format("{}{}m {:02}s", sign, minutes, whole % 60);
  return fmt::format("{}{}h {:02}m {:02}s", sign, hours, minutes, whole % 60);
}

std::string format_bytes(double bytes) {
  static constexpr std::array kUnits = {"B", "kB", "MB", "GB", "TB", "PB"};
  std::size_t unit = 0;
  // 999.95 would be printed as 1000.0.
  while (std::abs(bytes) >= (unit == 0 ? 999.5 : 999.95) && unit + 1 < kUnits.size()) {
    bytes /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.1f} {}", bytes, kUnits[unit]);
}

std::string format_count(long long count) {
  std::string digits = fmt::format("{}", count);
  const std::size_t first = count < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3;) {
    at -= 3;
    digits.insert(at, 1, ',');
  }
  return digits;
}

ProgressLine::ProgressLine() : visible_(stderr_is_terminal()) {}

ProgressLine::~ProgressLine() { clear(); }

bool ProgressLine::due() const {
  const auto now = std::chrono::steady_clock::now();
  return visible_ &&
         (last_ == std::chrono::steady_clock::time_point{} || now - last_ >= kBetweenUpdates);
}

void ProgressLine::update(std::string_view text) {
  if (!due()) return;
  last_ = std::chrono::steady_clock::now();
  show_terminal_line(text);
}

void ProgressLine::clear() {
  if (!visible_) return;
  clear_terminal_line();
  last_ = {};
}

double remaining_s(double elapsed_s, double done, double total) {
  if (done <= 0) return -1;
  return elapsed_s * (total - done) / done;
}

}  // namespace diffuse
