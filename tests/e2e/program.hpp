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
  std::uint64_t file_size_bytes = 0;  ///< beyond which no file grows, as on a full disk; 0: any
  bool own_group = false;             ///< a session of its own, for `signal_group`
  bool nonblocking_output = false;    ///< stdout does not block, and holds little
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
  void close_error();
  void signal(int number);
  /// To every process that it started, too, as a terminal's Ctrl-C does; with `own_group`.
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
