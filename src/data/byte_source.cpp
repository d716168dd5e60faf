#include "diffuse/data/byte_source.hpp"

#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "diffuse/base/error.hpp"
#include "diffuse/config/input_files.hpp"

namespace diffuse {
namespace {

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

std::string download_hint(const std::filesystem::path& path) {
  const std::string known = public_data_set(path);
  if (known.empty()) return "";
  return fmt::format("; `scripts/get_data.sh {} {}` fetches it", known,
                     path.parent_path().string());
}

/// Throws DataError for what is there and no file: to open a pipe may wait for ever, and what is
/// read again has to be there again. `name` is how the message calls it.
void check_is_file(const std::filesystem::path& path, const std::string& name) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const fs::file_status status = fs::status(path, ignored);
  if (!fs::exists(status) || fs::is_regular_file(status)) return;
  if (fs::is_directory(status))
    throw DataError(fmt::format("{} is a folder; expected a file", name));
  if (fs::is_fifo(status))
    throw DataError(fmt::format(
        "{} is a pipe; expected a file (`diffuse train --train -` and `diffuse predict` read rows "
        "from stdin, once)",
        name));
  throw DataError(fmt::format("{} is a {}; expected a file", name,
                              fs::is_socket(status) ? "socket" : "device"));
}

File open_data_file(const std::filesystem::path& path, const std::string& what) {
  const std::string name = what.empty() ? path.string() : what + ": " + path.string();
  check_is_file(path, name);
  File file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) {
    const int reason = errno;
    if (reason == ENOENT) {
      throw DataError(fmt::format("{}: there is no such file{}", name, download_hint(path)));
    }
    throw DataError(fmt::format("{}: cannot be opened: {}", name, std::strerror(reason)));
  }
  return file;
}

}  // namespace

struct ByteSource::Gzip {
  Gzip() {
    // 16 + 15: gzip's wrapping alone, the largest window.
    if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) throw SystemError("zlib: out of memory");
  }
  ~Gzip() { inflateEnd(&stream); }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  z_stream stream{};
  std::vector<char> input = std::vector<char>(std::size_t{1} << 16);
  bool between_members = false;  // the last member was complete
};

ByteSource::ByteSource(DataInput input) : input_(std::move(input)), file_(nullptr, &std::fclose) {
  if (input_.descriptor >= 0) return;
  file_ = open_data_file(input_.path, "");
  if (std::fseek(file_.get(), 0, SEEK_SET) != 0) {
    throw DataError(fmt::format("{}: cannot be read from its beginning (a pipe?); expected a file",
                                input_.path.string()));
  }
}

ByteSource::~ByteSource() = default;

/// False where nothing more is to be waited for.
bool ByteSource::wait_for_bytes() const {
  // An entry of -1 is passed over.
  std::array<pollfd, 2> entries{{{input_.descriptor, POLLIN, 0}, {input_.stop, POLLIN, 0}}};
  while (::poll(entries.data(), entries.size(), -1) < 0 && errno == EINTR) {
  }
  return entries[1].revents == 0;
}

std::size_t ByteSource::read_stream(char* to, std::size_t size) {
  pollfd entry{input_.descriptor, POLLIN, 0};
  // An error or a hang-up counts as ready: the read that follows tells which.
  if (::poll(&entry, 1, 0) == 0) {
    if (input_.before_wait) input_.before_wait();
    if (!wait_for_bytes()) return 0;
  }
  for (;;) {
    const ssize_t count = ::read(input_.descriptor, to, size);
    if (count >= 0) {
      const std::span<const char> bytes(to, static_cast<std::size_t>(count));
      if (input_.hash != nullptr) input_.hash->update(std::as_bytes(bytes));
      if (input_.hash != nullptr && count == 0) input_.hash->end();
      return bytes.size();
    }
    const int reason = errno;
    // Whoever shares stdin with us may have set it not to wait, and taken what was there.
    if (reason == EAGAIN && !wait_for_bytes()) return 0;
    if (reason != EAGAIN && reason != EINTR)
      throw SystemError(
          fmt::format("{}: reading failed: {}", path().string(), std::strerror(reason)));
  }
}

std::size_t ByteSource::read_raw(char* to, std::size_t size) {
  if (!first_.empty()) {
    const std::size_t count = std::min(size, first_.size());
    std::copy_n(first_.data(), count, to);
    first_.erase(0, count);
    return count;
  }
  if (!file_) return read_stream(to, size);
  const std::size_t count = std::fread(to, 1, size, file_.get());
  if (count < size && std::ferror(file_.get()) != 0) {
    throw SystemError(fmt::format("{}: reading failed: {}", path().string(), std::strerror(errno)));
  }
  if (input_.hash != nullptr) input_.hash->update(std::as_bytes(std::span(to, count)));
  return count;
}

void ByteSource::look_for_gzip() {
  // The third byte is the method, of which there is one: pictures may begin with the first two.
  constexpr std::string_view kMagic = "\x1f\x8b\x08";
  constexpr std::size_t kBytes = std::size_t{1} << 16;
  started_ = true;
  std::string seen;
  // No more is waited for than what may be the mark's beginning.
  while (seen.size() < kMagic.size() && kMagic.substr(0, seen.size()) == seen) {
    const std::size_t held = seen.size();
    seen.resize(held + kBytes);
    const std::size_t count = read_raw(seen.data() + held, kBytes);
    seen.resize(held + count);
    if (count == 0) break;
  }
  // What ends behind the first two was cut off.
  if (seen.starts_with(kMagic) || seen == kMagic.substr(0, 2)) gzip_ = std::make_unique<Gzip>();
  first_ = std::move(seen);
}

std::size_t ByteSource::read(char* to, std::size_t size) {
  if (!started_) look_for_gzip();
  return gzip_ ? read_gzip(to, size) : read_raw(to, size);
}

/// Puts packed bytes in front of zlib; false at the end. Zeros behind a member are padding.
bool ByteSource::fill(Gzip& gzip) {
  z_stream& stream = gzip.stream;
  for (;;) {
    while (gzip.between_members && stream.avail_in > 0 && *stream.next_in == 0) {
      ++stream.next_in;
      --stream.avail_in;
    }
    if (stream.avail_in > 0) return true;
    const std::size_t count = read_raw(gzip.input.data(), gzip.input.size());
    if (count == 0) return false;
    stream.next_in = reinterpret_cast<Bytef*>(gzip.input.data());
    stream.avail_in = static_cast<uInt>(count);
  }
}

std::size_t ByteSource::read_gzip(char* to, std::size_t size) {
  z_stream& stream = gzip_->stream;
  size = std::min<std::size_t>(size, std::size_t{1} << 30);  // zlib counts in 32 bits
  stream.next_out = reinterpret_cast<Bytef*>(to);
  stream.avail_out = static_cast<uInt>(size);
  while (stream.avail_out == size) {
    if (!fill(*gzip_)) {
      if (gzip_->between_members) return 0;
      throw DataError(fmt::format(
          "{}: the gzip data end too early; expected a whole gzip file (cut off on the way?)",
          path().string()));
    }
    if (gzip_->between_members) {
      inflateReset(&stream);
      gzip_->between_members = false;
    }
    const int status = inflate(&stream, Z_NO_FLUSH);
    if (status == Z_STREAM_END) {
      gzip_->between_members = true;
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      throw DataError(fmt::format("{}: damaged gzip data ({})", path().string(),
                                  stream.msg != nullptr ? stream.msg : "zlib gives no reason"));
    }
  }
  return size - stream.avail_out;
}

void check_data_file(const std::filesystem::path& path, const std::string& what) {
  if (path == kStdinName) return;
  open_data_file(path, what);
}

void FileHash::update(std::span<const std::byte> bytes) {
  hasher_.update(bytes);
  bytes_ += bytes.size();
}

std::string FileHash::finish(const std::filesystem::path& path) {
  if (path == kStdinName) return ended_ ? hasher_.hex() : "";
  const File file = open_data_file(path, "");
  ::fseeko(file.get(), static_cast<off_t>(bytes_), SEEK_SET);
  std::vector<std::byte> block(std::size_t{1} << 18);
  for (;;) {
    const std::size_t count = std::fread(block.data(), 1, block.size(), file.get());
    update(std::span<const std::byte>(block).first(count));
    if (count == block.size()) continue;
    if (std::ferror(file.get()) == 0) return hasher_.hex();
    throw SystemError(fmt::format("{}: reading failed: {}", path.string(), std::strerror(errno)));
  }
}

std::string hash_file(const std::filesystem::path& path) { return FileHash().finish(path); }

}  // namespace diffuse
