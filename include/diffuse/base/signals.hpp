#pragma once

#include <stdexcept>
#include <string>

namespace diffuse {

/// From now on the first SIGINT, SIGTERM, SIGHUP or SIGXCPU only sets the flag below; a second
/// SIGINT or SIGTERM ends the process at once with 128 + signal. The same signal within a fifth of
/// a second is the first one told twice, as `timeout` and job managers do; a SIGHUP never is a
/// second one, because a terminal that closes sends several, nor a SIGXCPU (CPU time beyond `ulimit
/// -t`), which comes every second. An ignored SIGHUP (nohup) or SIGXCPU stays ignored. A hard limit
/// of CPU time without a lower soft one gets one: a tenth below, 5 to 60 seconds.
void catch_stop_signals();
/// Number of the signal that arrived, 0 if none.
int stop_signal();
/// Thrown to leave work that a caught signal interrupts.
struct Stopped : std::runtime_error {
  explicit Stopped(int number)
      : std::runtime_error("stopped by signal " + std::to_string(number)), signal(number) {}
  int signal;
};
/// Throws Stopped where a stop signal has arrived.
void throw_if_stopped();
/// "SIGINT" and the like for those that are caught here; "signal N" for another one.
std::string signal_name(int number);
/// For tests: as if no signal had arrived.
void clear_stop_signal();

/// From now on a write that cannot be done (a reader that is gone, a file beyond its limit) fails
/// with an error in place of the signals SIGPIPE and SIGXFSZ, which would end the process.
void ignore_write_signals();

/// From now on SIGUSR1 and SIGUSR2, by which job managers announce that time is running out, only
/// ask for a checkpoint.
void catch_checkpoint_signals();
/// Number of the signal that asked for one since the last call, 0 if none.
int take_checkpoint_signal();

/// Lets the system end this process with its parent: for one that a terminal's Ctrl-C does not
/// reach, because its parent passes signals on.
void end_with_parent();

}  // namespace diffuse
