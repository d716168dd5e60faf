#include "line_reader.hpp"

#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "diffuse/base/error.hpp"

namespace diffuse::cli {
namespace {

constexpr std::size_t kReadBytes = std::size_t{64} << 10;

}  // namespace

bool LineReader::input_is_ready() const {
  if (file_ != nullptr) return true;
  pollfd poll_entry{descriptor_, POLLIN, 0};
  // An error or a hang-up counts as ready: the read that follows tells which.
  return ::poll(&poll_entry, 1, 0) != 0;
}

std::size_t LineReader::read(char* to, std::size_t size) {
  if (file_ != nullptr) return file_->read(to, size);
  ssize_t count = 0;
  do {
    count = ::read(descriptor_, to, size);
  } while (count < 0 && errno == EINTR);
  if (count < 0) {
    throw SystemError(
        fmt::format("Reading the input failed behind line {}: {}.", number_, std::strerror(errno)));
  }
  return static_cast<std::size_t>(count);
}

void LineReader::fill() {
  if (begin_ > 0) {
    buffer_.erase(0, begin_);
    scanned_ -= begin_;
    begin_ = 0;
  }
  const std::size_t held = buffer_.size();
  buffer_.resize(held + kReadBytes);
  const std::size_t count = read(buffer_.data() + held, kReadBytes);
  buffer_.resize(held + count);
  at_end_ = count == 0;
}

void LineReader::take(Line& line, std::size_t end, std::size_t consumed) {
  line.number = ++number_;
  line.too_long = skipping_ || end - begin_ > kMaxLineBytes;
  line.text.clear();
  if (!line.too_long) {
    line.text.assign(buffer_, begin_, end - begin_);
    if (!line.text.empty() && line.text.back() == '\r') line.text.pop_back();
  }
  skipping_ = false;
  begin_ = scanned_ = consumed;
}

LineReader::Status LineReader::next(Line& line, bool wait) {
  while (true) {
    const std::size_t end = buffer_.find('\n', scanned_);
    if (end != std::string::npos) {
      take(line, end, end + 1);
      return Status::line;
    }
    scanned_ = buffer_.size();
    if (scanned_ - begin_ > kMaxLineBytes) {
      skipping_ = true;
      begin_ = scanned_;
    }
    if (at_end_) {
      if (begin_ == buffer_.size() && !skipping_) return Status::end;
      take(line, buffer_.size(), buffer_.size());
      return Status::line;
    }
    if (!wait && !input_is_ready()) return Status::pending;
    fill();
  }
}

}  // namespace diffuse::cli
