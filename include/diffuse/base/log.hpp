#pragma once

#include <fmt/core.h>

#include <string>
#include <string_view>

namespace diffuse::log {

/// Severity, lowest first. `off` silences everything.
enum class Level { debug, info, warning, error, off };

/// Sets the lowest level that reaches stderr. The default is `info`.
void set_level(Level level);

/// Also appends every line, `debug` included, to `path` until `close_file` (a run's `train.log`).
/// Throws SystemError if the file cannot be opened; what was held for it is let go then.
void open_file(const std::string& path);
/// From now on lines are also kept for the next `open_file`, which begins with them: the folder of
/// a run's log does not exist before its data is read. Without a file they are never shown again.
void hold_for_file();
void close_file();

/// Writes one line to stderr and to the open file. Never to stdout: that is for results.
/// Clears a progress line that is on the terminal first. Thread-safe.
void write(Level level, std::string_view message);

/// A warning that is given once in a process for each `what`, however its text differs.
void warning_once(const std::string& what, std::string_view message);

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::debug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::warning, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::error, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace diffuse::log
