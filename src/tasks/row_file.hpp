#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/file_io.hpp"
#include "diffuse/base/hash.hpp"
#include "diffuse/tasks/task_files.hpp"

namespace diffuse {

/// A file that is written row by row, through a buffer, and hashed on its way.
class RowFile {
 public:
  /// Throws SystemError.
  explicit RowFile(const std::filesystem::path& path);
  void write(std::string_view bytes);
  /// Name, size and hash. Nothing may be written afterwards. Throws SystemError.
  TaskFile finish();

 private:
  void flush();

  std::string name_;
  AtomicFile file_;
  Hasher hasher_{};
  std::string buffer_{};
  std::int64_t bytes_ = 0;
};

}  // namespace diffuse
