#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "diffuse/base/hash.hpp"

namespace diffuse {

/// XXH3-128 of a file's bytes as they are on the disk, taken while the file is read.
class FileHash {
 public:
  void update(std::span<const std::byte> bytes);
  /// A descriptor has been read to its end.
  void end() { ended_ = true; }
  /// Of the whole file: what was not read of it is read now. Of stdin ("-") empty, unless it was
  /// read to its end: how much was depends on how its bytes happened to come. Throws as ByteSource
  /// does.
  std::string finish(const std::filesystem::path& path);

 private:
  Hasher hasher_;
  std::uint64_t bytes_ = 0;
  bool ended_ = false;
};

/// Where bytes come from: a file, or a descriptor (stdin, a pipe) that is read as it comes.
struct DataInput {
  DataInput(std::filesystem::path file) : path(std::move(file)) {}  // NOLINT: a path is an input
  /// `name` is how messages call it; the descriptor stays the caller's.
  DataInput(int open_descriptor, const std::string& name)
      : path(name), descriptor(open_descriptor) {}

  std::filesystem::path path;
  int descriptor = -1;  ///< -1: `path` is opened
  /// Called when nothing of `descriptor` is there to be read and the next byte has to be waited
  /// for; may be empty.
  std::function<void()> before_wait{};
  /// Of `descriptor`: as soon as this one can be read nothing more is waited for, as if the input
  /// ended; -1: none.
  int stop = -1;
  FileHash* hash = nullptr;  ///< gets every byte that is read; may be null
};

/// Bytes of an input from its beginning, unpacked when it starts with gzip's magic bytes and the
/// number of its method (also several gzip members one behind the other, and zeros behind the last,
/// as gzip allows).
class ByteSource {
 public:
  /// Throws DataError if a file is missing, a folder, a device, a pipe or cannot be opened. Nothing
  /// is read of a descriptor yet.
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
  bool wait_for_bytes() const;
  std::size_t read_gzip(char* to, std::size_t size);
  void look_for_gzip();
  bool fill(Gzip& gzip);

  DataInput input_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;  // null: a descriptor
  std::unique_ptr<Gzip> gzip_;
  std::string first_;  // bytes that were looked at
  bool started_ = false;
};

/// Throws DataError, with what to do about it, unless `path` is a file that can be opened, or "-".
/// `what` says whose path it is ("data.train"); may be empty.
void check_data_file(const std::filesystem::path& path, const std::string& what);

/// XXH3-128 of the file's bytes as they are on the disk. Throws as ByteSource does.
std::string hash_file(const std::filesystem::path& path);

}  // namespace diffuse
