#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace diffuse::testing {

/// What a finished program left behind.
struct Outcome {
  int exit_code = -1;  ///< 128 + signal where a signal ended it
  std::string out;     ///< all of stdout
  std::string err;     ///< all of stderr
};

/// How to start the program.
struct Launch {
  std::vector<std::string> arguments;
  std::string input;                ///< all of stdin
  std::filesystem::path directory;  ///< working directory; empty: the caller's
  std::vector<std::pair<std::string, std::string>> environment;  ///< laid over the caller's
  std::uint64_t address_space_bytes = 0;                         ///< limit; 0: none
  bool own_group = false;  ///< a process group of its own, as a shell gives a program
};

/// Runs `diffuse` to its end.
Outcome run(const Launch& launch);
Outcome run(std::vector<std::string> arguments);

/// A running `diffuse` whose pipes the test holds.
class Process {
 public:
  explicit Process(const Launch& launch);
  /// Kills the program if it still runs.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void write(std::string_view text);
  void close_input();
  void close_output();
  void signal(int number);
  /// To the program and what it started, as a terminal's Ctrl-C; needs `own_group`.
  void signal_group(int number);
  /// The next line of stdout without its line break; nothing at its end, or when none comes within
  /// `limit` (a test that waits for it fails, so the limit is generous).
  std::optional<std::string> read_line(std::chrono::seconds limit = std::chrono::seconds(60));
  /// Waits for the end; the outcome holds what was not read before.
  Outcome wait();
  /// Whether everything written to stderr so far holds `text` within `limit`.
  bool wait_for_stderr(std::string_view text,
                       std::chrono::seconds limit = std::chrono::seconds(60));

 private:
  bool pump(int timeout_ms);

  pid_t pid_ = -1;
  int input_ = -1;
  int output_ = -1;
  int error_ = -1;
  Outcome outcome_;
};

/// Program, arguments, exit code and both streams: what a failed expectation prints.
std::ostream& operator<<(std::ostream& stream, const Outcome& outcome);

}  // namespace diffuse::testing
