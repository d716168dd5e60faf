#include "output.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>

#include "diffuse/base/error.hpp"

namespace diffuse::cli {

bool write_if_read(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EPIPE) {
      return false;
    } else if (errno != EINTR) {
      throw SystemError(
          fmt::format("Writing the results to stdout failed: {}.", std::strerror(errno)));
    }
  }
  return true;
}

void write_output(std::string_view text) {
  if (write_if_read(text)) return;
  // Reached only where SIGPIPE is ignored: end as the signal would have done.
  std::signal(SIGPIPE, SIG_DFL);
  std::raise(SIGPIPE);
}

void check_output_file(const std::string& file) {
  if (file.empty()) return;
  const std::filesystem::path path = std::filesystem::absolute(file);
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    throw UsageError(file + ": this is a folder; expected the name of a file to write.");
  }
  if (!std::filesystem::is_directory(path.parent_path(), error)) {
    throw UsageError(file + ": there is no folder " + path.parent_path().string() + ".");
  }
}

}  // namespace diffuse::cli
