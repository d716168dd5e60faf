#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace diffuse {

/// The whole file. Throws SystemError naming the path and the operating system's reason.
std::string read_file(const std::filesystem::path& path);

/// Writes `content` so that `path` holds either its old content or all of the new one, also after
/// a crash: temporary file beside it, synced, renamed. Throws SystemError.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

/// Builds a folder under a temporary name beside `target` and renames it into place when told.
/// A folder that was never published is removed.
class FolderWriter {
 public:
  /// Creates the temporary folder. Throws SystemError.
  explicit FolderWriter(std::filesystem::path target);
  ~FolderWriter();
  FolderWriter(const FolderWriter&) = delete;
  FolderWriter& operator=(const FolderWriter&) = delete;

  const std::filesystem::path& folder() const { return temporary_; }
  /// Syncs every file, replaces `target`. Throws SystemError.
  void publish();

 private:
  std::filesystem::path target_;
  std::filesystem::path temporary_;
  bool published_ = false;
};

}  // namespace diffuse
