#include "diffuse/base/signals.hpp"

#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "diffuse/base/error.hpp"

namespace diffuse {
namespace {

// A handler can reach nothing but a global, and a lock-free atomic is all that it may touch.
std::atomic<int> first_signal{0};
static_assert(std::atomic<int>::is_always_lock_free);

extern "C" void on_stop_signal(int signal) {
  int none = 0;
  if (!first_signal.compare_exchange_strong(none, signal)) _exit(128 + signal);
}

}  // namespace

void catch_stop_signals() {
  struct sigaction action {};
  action.sa_handler = on_stop_signal;
  // Reads and writes under way go on: the flag is looked at between updates.
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM}) {
    if (sigaction(signal, &action, nullptr) != 0) {
      throw SystemError(
          fmt::format("Signal {} cannot be caught: {}.", signal, std::strerror(errno)));
    }
  }
}

int stop_signal() { return first_signal.load(); }

void clear_stop_signal() { first_signal.store(0); }

}  // namespace diffuse
