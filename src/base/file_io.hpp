#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

namespace diffuse {

/// A file descriptor, closed with the object.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&&) = delete;

  int get() const { return fd_; }
  /// Gives the descriptor up without closing it.
  int release();
  void close();

 private:
  int fd_;
};

/// Opens `path` for reading. Throws SystemError naming the path and the reason.
Descriptor open_for_reading(const std::filesystem::path& path);

/// Size of the open file where it is an ordinary one, 0 otherwise (a pipe has none).
std::size_t size_hint(const Descriptor& file);

/// Reads until `into` is full or the file ends; returns how much was read. `path` is for the
/// message of the SystemError.
std::size_t read_some(const Descriptor& file, std::span<std::byte> into,
                      const std::filesystem::path& path);

/// Writes all of `bytes`. Throws SystemError naming `path`.
void write_all(const Descriptor& file, std::span<const std::byte> bytes,
               const std::filesystem::path& path);

/// Makes what is at `path` (a file or a folder) durable. Where the file system cannot sync such a
/// thing (many network and FUSE ones cannot sync a folder) a warning says so once. Throws
/// SystemError for any other failure.
void sync_path(const std::filesystem::path& path);

/// A name beside `target` that nobody else uses: hidden, with the process id and a number.
std::filesystem::path temporary_beside(const std::filesystem::path& target);

/// The folder that holds `path`, "." where the path names none.
std::filesystem::path folder_of(const std::filesystem::path& path);

/// A file written beside its final place and renamed into it by `commit`. Until then the final
/// place keeps its old content; without `commit` the temporary file is removed.
class AtomicFile {
 public:
  /// Creates the temporary file. Throws SystemError.
  explicit AtomicFile(const std::filesystem::path& target);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  /// Syncs the file, renames it, syncs the folder. Throws SystemError.
  void commit();

 private:
  std::filesystem::path target_;
  std::filesystem::path temporary_;  ///< empty where `target_` is a device or a pipe
  Descriptor file_;
};

}  // namespace diffuse
