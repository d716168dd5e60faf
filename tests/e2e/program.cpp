#include "e2e/program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <ostream>
#include <stdexcept>

namespace diffuse::testing {
namespace {

struct Pipe {
  int read = -1;
  int write = -1;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
  return {ends[0], ends[1]};
}

void close_end(int& descriptor) {
  if (descriptor >= 0) ::close(descriptor);
  descriptor = -1;
}

/// Appends what is there; closes the descriptor at its end.
void drain(int& descriptor, std::string& text) {
  std::array<char, 4096> block{};
  const ssize_t count = ::read(descriptor, block.data(), block.size());
  if (count > 0) {
    text.append(block.data(), static_cast<std::size_t>(count));
  } else {
    close_end(descriptor);
  }
}

[[noreturn]] void become_program(const Launch& launch) {
  std::vector<char*> arguments;
  std::string program = DIFFUSE_PROGRAM;
  arguments.push_back(program.data());
  std::vector<std::string> copies = launch.arguments;
  for (std::string& argument : copies) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  for (const auto& [name, value] : launch.environment) {
    ::setenv(name.c_str(), value.c_str(), 1);
  }
  if (launch.address_space_bytes > 0) {
    const rlimit limit{launch.address_space_bytes, launch.address_space_bytes};
    ::setrlimit(RLIMIT_AS, &limit);
  }
  if (launch.file_size_bytes > 0) {
    const rlimit limit{launch.file_size_bytes, launch.file_size_bytes};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  if (launch.own_group) ::setsid();
  if (!launch.directory.empty() && ::chdir(launch.directory.c_str()) != 0) ::_exit(126);
  ::execv(program.c_str(), arguments.data());
  ::_exit(127);
}

}  // namespace

Process::Process(const Launch& launch) {
  // A program that ends before it read its input must not end the test.
  std::signal(SIGPIPE, SIG_IGN);
  Pipe input = make_pipe();
  Pipe output = make_pipe();
  Pipe error = make_pipe();
  if (launch.nonblocking_output) {
    ::fcntl(output.write, F_SETPIPE_SZ, 4096);
    ::fcntl(output.write, F_SETFL, O_NONBLOCK);
  }
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ == 0) {
    std::signal(SIGPIPE, SIG_DFL);
    ::dup2(input.read, STDIN_FILENO);
    ::dup2(output.write, STDOUT_FILENO);
    ::dup2(error.write, STDERR_FILENO);
    become_program(launch);
  }
  close_end(input.read);
  close_end(output.write);
  close_end(error.write);
  input_ = input.write;
  output_ = output.read;
  error_ = error.read;
}

Process::~Process() {
  close_end(input_);
  close_end(output_);
  close_end(error_);
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
}

void Process::write(std::string_view text) {
  // Both directions at once: else the two processes could wait for each other on full pipes.
  ::fcntl(input_, F_SETFL, O_NONBLOCK);
  while (!text.empty()) {
    const ssize_t count = ::write(input_, text.data(), text.size());
    if (count > 0) {
      text.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      pump(10);
    } else if (errno != EINTR) {
      return;  // the program has ended; its exit code tells why
    }
  }
}

void Process::close_input() { close_end(input_); }
void Process::close_output() { close_end(output_); }
void Process::close_error() { close_end(error_); }
void Process::signal(int number) { ::kill(pid_, number); }
void Process::signal_group(int number) { ::kill(-pid_, number); }

bool Process::pump(int timeout_ms) {
  std::array<pollfd, 2> polled{pollfd{output_, POLLIN, 0}, pollfd{error_, POLLIN, 0}};
  if (::poll(polled.data(), polled.size(), timeout_ms) <= 0) return output_ >= 0 || error_ >= 0;
  if (polled[0].revents != 0 && output_ >= 0) drain(output_, outcome_.out);
  if (polled[1].revents != 0 && error_ >= 0) drain(error_, outcome_.err);
  return output_ >= 0 || error_ >= 0;
}

std::optional<std::string> Process::read_line(std::chrono::seconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (true) {
    const std::size_t end = outcome_.out.find('\n');
    if (end != std::string::npos) {
      std::string line = outcome_.out.substr(0, end);
      outcome_.out.erase(0, end + 1);
      return line;
    }
    if (!pump(50) || std::chrono::steady_clock::now() > deadline) return std::nullopt;
  }
}

bool Process::wait_for_stderr(std::string_view text, std::chrono::seconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (outcome_.err.find(text) == std::string::npos) {
    if (!pump(50) || std::chrono::steady_clock::now() > deadline) return false;
  }
  return true;
}

Outcome Process::wait() {
  close_input();
  while (pump(1000)) {
  }
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  outcome_.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return outcome_;
}

Outcome run(const Launch& launch) {
  Process process(launch);
  process.write(launch.input);
  return process.wait();
}

Outcome run(std::vector<std::string> arguments) {
  Launch launch;
  launch.arguments = std::move(arguments);
  return run(launch);
}

std::ostream& operator<<(std::ostream& stream, const Outcome& outcome) {
  return stream << "exit code " << outcome.exit_code << "\n--- stdout\n"
                << outcome.out << "--- stderr\n"
                << outcome.err;
}

}  // namespace diffuse::testing
