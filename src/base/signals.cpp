#include "diffuse/base/signals.hpp"

#include <fmt/core.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "diffuse/base/error.hpp"

namespace diffuse {
namespace {

constexpr std::int64_t kSameSignal_ns = 200'000'000;

// A handler can reach nothing but globals, and lock-free atomics are all that it may touch.
std::atomic<int> first_signal{0};
std::atomic<int> first_ending{0};              // SIGINT or SIGTERM
std::atomic<std::int64_t> first_ending_ns{0};  // never 0 where first_ending is not
std::atomic<int> checkpoint_signal{0};         // the last one that was not taken yet
static_assert(std::atomic<int>::is_always_lock_free);
static_assert(std::atomic<std::int64_t>::is_always_lock_free);

std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

extern "C" void on_stop_signal(int signal) {
  const int saved_errno = errno;
  int none = 0;
  first_signal.compare_exchange_strong(none, signal);
  if (signal != SIGHUP && signal != SIGXCPU) {
    // The time first: another thread may get the signal's second telling at any moment.
    std::int64_t untold = 0;
    first_ending_ns.compare_exchange_strong(untold, now_ns());
    int before = 0;
    const bool first = first_ending.compare_exchange_strong(before, signal);
    const bool same = before == signal && now_ns() - first_ending_ns.load() <= kSameSignal_ns;
    if (!first && !same) _exit(128 + signal);
  }
  errno = saved_errno;
}

extern "C" void on_checkpoint_signal(int signal) { checkpoint_signal.store(signal); }

void set_handler(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  // Reads and writes under way go on: the flags are looked at between updates.
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  if (sigaction(signal, &action, nullptr) != 0)
    throw SystemError(fmt::format("Signal {} cannot be caught: {}.", signal, std::strerror(errno)));
}

bool is_ignored(int signal) {
  struct sigaction now {};
  return sigaction(signal, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

/// `ulimit -t N` sets both limits of CPU time to N, and beyond the hard one the process is killed
/// without SIGXCPU before it.
void lay_cpu_limit_ahead() {
  rlimit limit{};
  if (getrlimit(RLIMIT_CPU, &limit) != 0 || limit.rlim_max == RLIM_INFINITY) return;
  if (limit.rlim_cur < limit.rlim_max) return;
  constexpr rlim_t kLeast_s = 5;
  constexpr rlim_t kMost_s = 60;
  const rlim_t ahead =
      std::min(std::clamp<rlim_t>(limit.rlim_max / 10, kLeast_s, kMost_s), limit.rlim_max / 2);
  limit.rlim_cur = limit.rlim_max - ahead;
  setrlimit(RLIMIT_CPU, &limit);  // where it fails, the limit stays as it was
}

}  // namespace

void catch_stop_signals() {
  for (const int signal : {SIGINT, SIGTERM}) set_handler(signal, on_stop_signal);
  for (const int signal : {SIGHUP, SIGXCPU}) {
    if (!is_ignored(signal)) set_handler(signal, on_stop_signal);
  }
  lay_cpu_limit_ahead();
}

int stop_signal() { return first_signal.load(); }

void throw_if_stopped() {
  if (const int signal = stop_signal(); signal != 0) throw Stopped(signal);
}

std::string signal_name(int number) {
  switch (number) {
    case SIGINT:
      return "SIGINT";
    case SIGTERM:
      return "SIGTERM";
    case SIGHUP:
      return "SIGHUP";
    case SIGXCPU:
      return "SIGXCPU";
    case SIGUSR1:
      return "SIGUSR1";
    case SIGUSR2:
      return "SIGUSR2";
    default:
      return fmt::format("signal {}", number);
  }
}

void clear_stop_signal() {
  first_signal.store(0);
  first_ending.store(0);
  first_ending_ns.store(0);
}

void ignore_write_signals() {
  for (const int signal : {SIGPIPE, SIGXFSZ}) set_handler(signal, SIG_IGN);
}

void catch_checkpoint_signals() {
  for (const int signal : {SIGUSR1, SIGUSR2}) set_handler(signal, on_checkpoint_signal);
}

int take_checkpoint_signal() { return checkpoint_signal.exchange(0); }

void end_with_parent() {
  const pid_t parent = getppid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(128 + SIGKILL);  // it had gone before
}

}  // namespace diffuse
