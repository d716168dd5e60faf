#pragma once

#include <string>
#include <vector>

namespace diffuse {

/// How a child process ended.
struct ChildOutcome {
  int exit_code = -1;      ///< -1 where a signal ended it
  int signal = 0;          ///< that did so
  std::string out;         ///< all of its stdout
  bool timed_out = false;  ///< it was ended (SIGKILL) because the limit was over
};

/// Runs the program `path` with `arguments` (the program's name not among them), writes `input` to
/// its stdin and reads its stdout to the end; stderr stays the caller's. Throws SystemError if it
/// cannot be started. A child that is still at work after `limit_s` seconds is ended; 0: no limit.
/// It is in a process group of its own, out of reach of a terminal's Ctrl-C; when this process
/// catches a stop signal (base/signals.hpp) the child is ended and Stopped thrown.
ChildOutcome run_child(const std::string& path, const std::vector<std::string>& arguments,
                       const std::string& input, double limit_s = 0);

/// The file of the program that runs.
std::string own_program();

}  // namespace diffuse
