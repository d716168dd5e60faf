#include "run_lock.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"

namespace diffuse::cli {

RunLock::RunLock(const std::filesystem::path& run_dir)
    : descriptor_(::open(run_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (descriptor_ < 0) {
    throw SystemError(fmt::format("{}: the folder cannot be opened: {}.", run_dir.string(),
                                  std::strerror(errno)));
  }
  // On the folder itself: no file is left behind, and the lock ends with the process.
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
  const int reason = errno;
  ::close(descriptor_);
  if (reason == EWOULDBLOCK) {
    throw UsageError(
        fmt::format("{}: another diffuse is training in this folder; wait for it, or stop it.",
                    run_dir.string()));
  }
  descriptor_ = -1;
  log::warning_once("lock", fmt::format("{}: the folder cannot be locked here ({}): let no other "
                                        "training run in it.",
                                        run_dir.string(), std::strerror(reason)));
}

RunLock::~RunLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace diffuse::cli
