#pragma once

#include <gtest/gtest.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>

namespace diffuse::testing {

/// Runs `body` in a child process whose stderr is a terminal of `columns` columns; returns all that
/// was written there ("\r\n" at line ends, as terminals have it).
inline std::string on_terminal(const std::function<void()>& body, unsigned short columns = 80) {
  int terminal = -1;
  int other_end = -1;
  winsize size{};
  size.ws_col = columns;
  size.ws_row = 24;
  if (openpty(&terminal, &other_end, nullptr, nullptr, &size) != 0) {
    ADD_FAILURE() << "no pseudo-terminal";
    return {};
  }
  const pid_t child = fork();
  if (child == 0) {
    dup2(other_end, STDERR_FILENO);
    setenv("TERM", "xterm", 1);
    unsetenv("NO_COLOR");
    body();
    _exit(0);
  }
  close(other_end);
  std::string output;
  char buffer[4096];
  for (ssize_t got; (got = read(terminal, buffer, sizeof buffer)) > 0;) {
    output.append(buffer, static_cast<std::size_t>(got));
  }
  close(terminal);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  return output;
}

}  // namespace diffuse::testing
