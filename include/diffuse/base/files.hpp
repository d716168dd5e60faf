#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace diffuse {

/// The whole file, or what comes through stdin or a shell's pipe. Throws SystemError naming the
/// path and the operating system's reason, and for a named pipe, which may never have a writer.
std::string read_file(const std::filesystem::path& path);

/// Writes `content` so that `path` holds either its old content or all of the new one, also after
/// a crash: temporary file beside it, synced, renamed. Throws SystemError.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

/// Creates `folder` and those above it, where they are not there yet. Throws SystemError.
void create_folders(const std::filesystem::path& folder);

/// Points `link`, a name beside the folder `name`, to that folder: a symbolic link, relative and
/// replaced atomically, or where the file system has none (a warning says so once) a file that
/// holds the name. A folder that stands there, the copy that `cp -rL` makes of a link, gives way.
/// Throws SystemError.
void point_to_folder(const std::filesystem::path& link, const std::string& name);

/// The folder that `point_to_folder` made `link` stand for; `link` itself where it is anything
/// else.
std::filesystem::path pointed_folder(const std::filesystem::path& link);

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
