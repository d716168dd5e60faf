#pragma once

#include <stdexcept>
#include <string>

namespace diffuse {

/// From now on the first SIGINT or SIGTERM only sets the flag below; a second one ends the process
/// at once with 128 + signal.
void catch_stop_signals();
/// Number of the signal that arrived, 0 if none.
int stop_signal();
/// Thrown to leave work that a caught SIGINT or SIGTERM interrupts.
struct Stopped : std::runtime_error {
  explicit Stopped(int number)
      : std::runtime_error("stopped by signal " + std::to_string(number)), signal(number) {}
  int signal;
};
/// For tests: as if no signal had arrived.
void clear_stop_signal();

}  // namespace diffuse
