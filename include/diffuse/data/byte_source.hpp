#pragma once

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

namespace diffuse {

/// Bytes of a file from its beginning, unpacked when the file starts with gzip's magic bytes
/// (also several gzip members one behind the other).
class ByteSource {
 public:
  /// Throws DataError if the file is missing, a folder or cannot be opened.
  explicit ByteSource(std::filesystem::path path);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  /// Fills `to` with up to `size` (> 0) bytes; returns how many, 0 at the end of the file only.
  /// Throws DataError if the gzip data are damaged or end too early, SystemError if reading fails.
  std::size_t read(char* to, std::size_t size);

  const std::filesystem::path& path() const { return path_; }

 private:
  struct Gzip;
  std::size_t read_raw(char* to, std::size_t size);
  std::size_t read_gzip(char* to, std::size_t size);

  std::filesystem::path path_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
  std::unique_ptr<Gzip> gzip_;
};

/// Throws DataError, with what to do about it, unless `path` is a file that can be opened. `what`
/// says whose path it is ("data.train"); may be empty.
void check_data_file(const std::filesystem::path& path, const std::string& what);

/// XXH3-128 of the file's bytes as they are on the disk. Throws as ByteSource does.
std::string hash_file(const std::filesystem::path& path);

}  // namespace diffuse
