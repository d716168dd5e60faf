#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace diffuse {

/// "1h 02m 03s", "4m 05s", "6.7s".
std::string format_duration(double seconds);
/// "12.3 MB" (powers of 1000, as the figures of the documentation).
std::string format_bytes(double bytes);
/// "1,234,567".
std::string format_count(long long count);

/// One line on stderr that overwrites itself, at most five times a second, when stderr is a
/// terminal; nothing at all otherwise (callers log plain lines then). Log lines written meanwhile
/// clear it first.
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  /// Whether anything is shown.
  bool visible() const { return visible_; }
  /// Whether `update` would show its text: visible, and the last one not under 0.2 s ago.
  bool due() const;
  /// Shows `text`, cut to the terminal's width, if it is due.
  void update(std::string_view text);
  /// Removes the line.
  void clear();

 private:
  bool visible_;
  std::chrono::steady_clock::time_point last_{};
};

/// Seconds left after `elapsed_s` for `done` of `total`; negative while unknown (done = 0).
double remaining_s(double elapsed_s, double done, double total);

}  // namespace diffuse
