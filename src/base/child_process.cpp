#include "diffuse/base/child_process.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>

#include "diffuse/base/error.hpp"
#include "diffuse/base/signals.hpp"
#include "file_io.hpp"

extern char** environ;

namespace diffuse {
namespace {

[[noreturn]] void fail(const std::string& path, int reason) {
  throw SystemError(fmt::format("{}: cannot be started: {}.", path, std::strerror(reason)));
}

struct Pipe {
  Descriptor read;
  Descriptor write;
};

/// `path` is that of the child, for the message.
Pipe make_pipe(const std::string& path) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) fail(path, errno);
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

pid_t start(const std::string& path, const std::vector<std::string>& arguments, int input,
            int output) {
  std::vector<std::string> words = {path};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  // A group of its own: Ctrl-C reaches this process alone, which then ends the child and tells what
  // it has so far; of a child that died first it would think a failure. And signals as they are by
  // default, whatever this process ignores.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setpgroup(&attributes, 0);
  sigset_t plain;
  sigemptyset(&plain);
  for (const int signal : {SIGPIPE, SIGXFSZ}) sigaddset(&plain, signal);
  posix_spawnattr_setsigdefault(&attributes, &plain);
  pid_t pid = -1;
  const int problem = posix_spawn(&pid, path.c_str(), &actions, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (problem != 0) fail(path, problem);
  return pid;
}

using Clock = std::chrono::steady_clock;

/// Milliseconds for poll until `end`, and no more than a signal may wait: another thread may have
/// taken it, and then poll goes on.
int milliseconds_to(const std::optional<Clock::time_point>& end) {
  constexpr std::int64_t kLongest = 100;
  if (!end) return kLongest;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*end - Clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, kLongest));
}

/// Writes and reads at once, or a child that answers before it has read all would wait for ever.
/// Nothing where the child had not closed its output by `end`, or a stop signal was caught.
std::optional<std::string> exchange(Pipe& to, Pipe& from, std::string_view input,
                                    const std::optional<Clock::time_point>& end) {
  // A child that dies early must not take this process along.
  struct sigaction ignore {};
  struct sigaction old {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, &old);
  fcntl(to.write.get(), F_SETFL, O_NONBLOCK);
  std::string out;
  bool in_time = true;
  std::array<char, 65536> buffer;
  while (true) {
    if (stop_signal() != 0) {
      in_time = false;
      break;
    }
    if (input.empty()) to.write.close();
    std::array<pollfd, 2> waited = {pollfd{from.read.get(), POLLIN, 0},
                                    pollfd{to.write.get(), POLLOUT, 0}};
    const int ready = poll(waited.data(), waited.size(), milliseconds_to(end));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) break;
    if (milliseconds_to(end) == 0) {  // also of a child that never stops writing
      in_time = false;
      break;
    }
    if ((waited[1].revents & (POLLOUT | POLLERR | POLLHUP)) != 0) {
      const ssize_t written = write(to.write.get(), input.data(), input.size());
      if (written > 0) input.remove_prefix(static_cast<std::size_t>(written));
      if (written < 0 && errno != EAGAIN && errno != EINTR) input = {};
    }
    if ((waited[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
      const ssize_t got = read(from.read.get(), buffer.data(), buffer.size());
      if (got == 0 || (got < 0 && errno != EINTR)) break;
      if (got > 0) out.append(buffer.data(), static_cast<std::size_t>(got));
    }
  }
  sigaction(SIGPIPE, &old, nullptr);
  return in_time ? std::optional(out) : std::nullopt;
}

}  // namespace

ChildOutcome run_child(const std::string& path, const std::vector<std::string>& arguments,
                       const std::string& input, double limit_s) {
  std::optional<Clock::time_point> end;
  if (limit_s > 0)
    end = Clock::now() + std::chrono::milliseconds(static_cast<std::int64_t>(1000 * limit_s));
  Pipe to = make_pipe(path);
  Pipe from = make_pipe(path);
  const pid_t pid = start(path, arguments, to.read.get(), from.write.get());
  to.read.close();
  from.write.close();
  ChildOutcome outcome;
  const std::optional<std::string> out = exchange(to, from, input, end);
  outcome.out = out.value_or("");
  outcome.timed_out = !out.has_value();
  if (outcome.timed_out) kill(-pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (const int signal = stop_signal(); outcome.timed_out && signal != 0) throw Stopped(signal);
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
  return outcome;
}

std::string own_program() {
  std::error_code failed;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", failed);
  if (failed) throw SystemError("/proc/self/exe: cannot be read; is /proc mounted?");
  return path.string();
}

}  // namespace diffuse
