#include "diffuse/train/metrics_log.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <span>
#include <tuple>
#include <utility>

#include "base/file_io.hpp"
#include "diffuse/base/error.hpp"

namespace diffuse {
namespace {

/// Whether a process that was killed left a line without its end.
bool ends_within_a_line(int file) {
  char last = '\n';
  const off_t size = ::lseek(file, 0, SEEK_END);
  return size > 0 && ::pread(file, &last, 1, size - 1) == 1 && last != '\n';
}

}  // namespace

struct MetricsLog::File {
  Descriptor descriptor;
};

MetricsLog::MetricsLog(const std::filesystem::path& path) : path_(path) {
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (file.get() < 0)
    throw SystemError(
        fmt::format("{}: cannot be opened for writing: {}.", path.string(), std::strerror(errno)));
  file_ = std::make_unique<File>(File{std::move(file)});
}

MetricsLog::~MetricsLog() = default;

void MetricsLog::write_line(std::string line) {
  const Descriptor& file = file_->descriptor;
  if (ends_within_a_line(file.get())) line.insert(0, 1, '\n');
  line += '\n';
  const off_t before = ::lseek(file.get(), 0, SEEK_END);
  try {
    write_all(file, std::as_bytes(std::span(line)), path_);
  } catch (const SystemError&) {
    // Half a line would be taken for damage. Where it cannot be cut off, the next line begins anew.
    if (before >= 0) std::ignore = ::ftruncate(file.get(), before);
    throw;
  }
}

}  // namespace diffuse
