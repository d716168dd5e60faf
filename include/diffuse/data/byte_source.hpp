#pragma once

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace diffuse {

/// Where bytes come from: a file, or a descriptor (stdin, a pipe) that is read as it comes.
struct DataInput {
  DataInput(std::filesystem::path file) : path(std::move(file)) {}  // NOLINT: a path is an input
  /// `name` is how messages call it; the descriptor stays the caller's. `before_wait` is called
  /// when nothing is there to be read and the next byte has to be waited for.
  DataInput(int open_descriptor, const std::string& name, std::function<void()> wait_hook)
      : path(name), descriptor(open_descriptor), before_wait(std::move(wait_hook)) {}

  std::filesystem::path path;
  int descriptor = -1;  ///< -1: `path` is opened
  std::function<void()> before_wait;
};

/// Bytes of an input from its beginning, unpacked when it starts with gzip's magic bytes (also
/// several gzip members one behind the other, and zeros behind the last, as gzip allows).
class ByteSource {
 public:
  /// Throws DataError if a file is missing, a folder, a pipe or cannot be opened. Nothing is read
  /// of a descriptor yet.
  explicit ByteSource(DataInput input);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  /// Fills `to` with up to `size` (> 0) bytes; returns how many, 0 at the end only. Throws
  /// DataError if the gzip data are damaged or end too early, SystemError if reading fails.
  std::size_t read(char* to, std::size_t size);

  const std::filesystem::path& path() const { return input_.path; }

 private:
  struct Gzip;
  std::size_t read_raw(char* to, std::size_t size);
  std::size_t read_stream(char* to, std::size_t size);
  std::size_t read_gzip(char* to, std::size_t size);
  void look_for_gzip();
  bool fill(Gzip& gzip);

  DataInput input_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;  // null: a descriptor
  std::unique_ptr<Gzip> gzip_;
  std::string first_;  // bytes that were looked at
  bool started_ = false;
};

/// Throws DataError, with what to do about it, unless `path` is a file that can be opened. `what`
/// says whose path it is ("data.train"); may be empty.
void check_data_file(const std::filesystem::path& path, const std::string& what);

/// XXH3-128 of the file's bytes as they are on the disk. Throws as ByteSource does.
std::string hash_file(const std::filesystem::path& path);

}  // namespace diffuse
