#include "file_io.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>
#include <utility>

#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, std::string_view what, int reason) {
  throw SystemError(
      fmt::format("{}: {}: {}.", path.string(), what, std::generic_category().message(reason)));
}

/// One call moves at most 2 GiB on Linux; a smaller bound keeps it interruptible.
constexpr std::size_t kLargestTransfer = std::size_t{1} << 30;

/// What fsync says where the file system has no such thing, in place of a failure of the disk.
bool is_unsupported(int reason) {
  return reason == EINVAL || reason == ENOSYS || reason == EOPNOTSUPP || reason == EPERM ||
         reason == EACCES || reason == EBADF || reason == EISDIR;
}

void warn_of_no_sync(const fs::path& path, int reason) {
  log::warning_once(
      "sync",
      fmt::format("{}: the file system cannot make sure that what is written is on the disk ({}); "
                  "after a crash of the machine the newest files may be damaged.",
                  path.string(), std::generic_category().message(reason)));
}

/// Where a link points to, so that the link itself stays.
fs::path without_links(const fs::path& path) {
  std::error_code problem;
  if (!fs::is_symlink(path, problem)) return path;
  const fs::path resolved = fs::weakly_canonical(path, problem);
  return problem ? path : resolved;
}

}  // namespace

Descriptor::~Descriptor() { close(); }

void Descriptor::close() {
  if (fd_ >= 0) ::close(release());
}

int Descriptor::release() { return std::exchange(fd_, -1); }

Descriptor open_for_reading(const fs::path& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) fail(path, "cannot be opened", errno);
  return file;
}

std::size_t size_hint(const Descriptor& file) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return 0;
  return static_cast<std::size_t>(status.st_size);
}

std::size_t read_some(const Descriptor& file, std::span<std::byte> into, const fs::path& path) {
  std::size_t done = 0;
  while (done < into.size()) {
    const std::size_t wanted = std::min(into.size() - done, kLargestTransfer);
    const ssize_t got = ::read(file.get(), into.data() + done, wanted);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(path, "cannot be read", errno);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

void write_all(const Descriptor& file, std::span<const std::byte> bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(file.get(), bytes.data(), std::min(bytes.size(), kLargestTransfer));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail(path, "cannot be written", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
}

void sync_path(const fs::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() >= 0 && ::fsync(file.get()) == 0) return;
  const int reason = errno;
  if (!is_unsupported(reason)) fail(path, "cannot be synced to disk", reason);
  warn_of_no_sync(path, reason);
}

fs::path temporary_beside(const fs::path& target) {
  static std::atomic<unsigned> number{0};
  return folder_of(target) /
         fmt::format(".{}.tmp-{}-{}", target.filename().string(), ::getpid(), number++);
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

AtomicFile::AtomicFile(const fs::path& target)
    : target_(without_links(target)), file_([&] {
        struct stat old {};
        const bool exists = ::stat(target_.c_str(), &old) == 0;
        if (exists && S_ISDIR(old.st_mode)) fail(target_, "cannot be written", EISDIR);
        if (exists && !S_ISREG(old.st_mode)) {  // a rename would replace the device
          Descriptor direct(::open(target_.c_str(), O_WRONLY | O_CLOEXEC));
          if (direct.get() < 0) fail(target_, "cannot be written", errno);
          return direct;
        }
        for (;;) {
          temporary_ = temporary_beside(target_);
          Descriptor made(
              ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
          if (made.get() >= 0) {
            if (exists) ::fchmod(made.get(), old.st_mode & 07777);
            return made;
          }
          // Left over by a process of the same number that was killed: take the next name.
          if (errno != EEXIST) fail(target_, "cannot be written", errno);
        }
      }()) {}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) { write_all(file_, bytes, target_); }

void AtomicFile::commit() {
  const int fd = file_.release();
  const bool ordinary = !temporary_.empty();
  int sync_problem = ordinary && ::fsync(fd) != 0 ? errno : 0;
  const int close_problem = ::close(fd) != 0 ? errno : 0;
  if (is_unsupported(sync_problem)) {
    warn_of_no_sync(target_, sync_problem);
    sync_problem = 0;
  }
  if (sync_problem != 0) fail(target_, "cannot be synced to disk", sync_problem);
  if (close_problem != 0) fail(target_, "cannot be written", close_problem);
  if (!ordinary) return;
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) {
    fail(target_, "cannot be replaced", errno);
  }
  temporary_.clear();
  sync_path(folder_of(target_));
}

}  // namespace diffuse
