#include "output.hpp"

#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>

#include "diffuse/base/error.hpp"
#include "diffuse/config/input_files.hpp"
#include "run_directory.hpp"

namespace diffuse::cli {
namespace {

/// Waits until stdout takes more. One that does not block, as a terminal or a pipe that another
/// program has set so, is full now and then: that is no failure.
void wait_for_room() {
  pollfd room{STDOUT_FILENO, POLLOUT, 0};
  ::poll(&room, 1, -1);
}

}  // namespace

bool write_if_read(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EPIPE) {
      return false;
    } else if (errno == EAGAIN) {
      wait_for_room();
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

namespace {

namespace fs = std::filesystem;

/// Whether `file` is, or would become, a member of the run or checkpoint `folder`.
bool is_member(const fs::path& file, const fs::path& folder) {
  constexpr std::array kOfCheckpoint = {"model.safetensors", "config.json",
                                        "vocab.txt",         "labels.txt",
                                        "data.json",         "texts.bin",
                                        "module.pt",         "state.json",
                                        "manifest.json",     "optimizer.safetensors",
                                        "vocab.json",        "ngrams.safetensors",
                                        "branches.json",     "coverage.json",
                                        "thresholds.json",   "calibration.json"};
  std::error_code ignored;
  const fs::path where = fs::weakly_canonical(fs::absolute(file), ignored);
  const fs::path inside = where.lexically_relative(fs::canonical(folder, ignored));
  if (ignored || inside.empty() || *inside.begin() == "..") return false;
  if (is_run_content(folder, inside.begin()->string())) return true;
  return std::find(kOfCheckpoint.begin(), kOfCheckpoint.end(), inside) != kOfCheckpoint.end();
}

}  // namespace

void check_output_apart(const std::string& file, const std::vector<NamedInput>& inputs) {
  if (file.empty()) return;
  for (const NamedInput& input : inputs) {
    if (input.path.empty()) continue;
    std::error_code ignored;
    if (fs::is_directory(input.path, ignored)) {
      if (!is_member(file, input.path)) continue;
      throw UsageError(fmt::format(
          "--output {}: this is a file of {} ({}), which would be damaged; name another "
          "file.",
          file, input.what, input.path.string()));
    }
    std::vector<std::string> told;  // by whoever reads them
    for (const std::string& path : find_files(input.path, told)) {
      // Of a link, too, to whatever it leads.
      if (!fs::equivalent(file, path, ignored)) continue;
      throw UsageError(
          fmt::format("--output {}: this is {}, which would be overwritten; name another file.",
                      file, input.what));
    }
  }
}

}  // namespace diffuse::cli
