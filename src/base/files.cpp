#include "diffuse/base/files.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <stdio.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <system_error>
#include <utility>

#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"
#include "file_io.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, std::string_view what, const std::error_code& reason) {
  throw SystemError(fmt::format("{}: {}: {}.", path.string(), what, reason.message()));
}

std::error_code last_error() { return {errno, std::generic_category()}; }

/// Whether `path` is a pipe that has a name: to open it may wait for ever. Those of a shell,
/// stdin's and <(...), have somebody who writes, and none in the file system but the system's own.
bool is_named_pipe(const fs::path& path) {
  std::error_code none;
  if (!fs::is_fifo(path, none)) return false;
  const std::string name = fs::absolute(path, none).lexically_normal().string();
  for (const char* own : {"/dev/stdin", "/dev/fd/", "/proc/"})
    if (name.starts_with(own)) return false;
  return fs::exists(fs::canonical(path, none), none);
}

/// "runs/x/" names the same folder as "runs/x", but only the latter has a file name.
fs::path without_trailing_slash(fs::path path) {
  return path.has_filename() ? path : path.parent_path();
}

/// Everything in `folder`, then the folders, so that no synced folder names an unsynced file.
void sync_tree(const fs::path& folder) {
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.is_symlink()) continue;
    if (entry.is_directory()) {
      sync_tree(entry.path());
    } else {
      sync_path(entry.path());
    }
  }
  sync_path(folder);
}

}  // namespace

std::string read_file(const fs::path& path) {
  if (is_named_pipe(path))
    throw SystemError(fmt::format(
        "{}: cannot be read: it is a named pipe; expected a file, /dev/stdin or <(command).",
        path.string()));
  const Descriptor file = open_for_reading(path);
  // One byte more than the size, so that the end is seen without growing.
  std::string content(size_hint(file) + 1, '\0');
  std::size_t size = 0;
  for (;;) {
    size += read_some(file, std::as_writable_bytes(std::span(content)).subspan(size), path);
    if (size < content.size()) break;
    content.resize(std::max<std::size_t>(2 * content.size(), 1 << 16));
  }
  content.resize(size);
  return content;
}

void write_file_atomically(const fs::path& path, std::string_view content) {
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(content)));
  file.commit();
}

void create_folders(const fs::path& folder) {
  std::error_code problem;
  fs::create_directories(folder, problem);
  if (problem) fail(folder, "the folder cannot be created", problem);
}

void point_to_folder(const fs::path& link, const std::string& name) {
  std::error_code problem;
  if (fs::is_directory(fs::symlink_status(link, problem))) fs::remove_all(link, problem);
  const fs::path temporary = temporary_beside(link);
  fs::create_directory_symlink(name, temporary, problem);
  if (!problem) fs::rename(temporary, link, problem);
  if (!problem) return;
  const std::string reason = problem.message();
  fs::remove(temporary, problem);
  write_file_atomically(link, name + "\n");
  log::warning_once("links",
                    fmt::format("{}: no symbolic link can be made here ({}): a file that holds the "
                                "folder's name stands for it.",
                                link.string(), reason));
}

fs::path pointed_folder(const fs::path& link) {
  constexpr std::uintmax_t kLongestName = 255;
  std::error_code ignored;
  if (!fs::is_regular_file(link, ignored) || fs::file_size(link, ignored) > kLongestName)
    return link;
  std::string name = read_file(link);
  if (name.ends_with('\n')) name.pop_back();
  if (name.empty() || name.find_first_of(std::string_view("/\n\0", 3)) != std::string::npos)
    return link;
  const fs::path folder = folder_of(link) / name;
  return fs::is_directory(folder, ignored) ? folder : link;
}

FolderWriter::FolderWriter(fs::path target) : target_(without_trailing_slash(std::move(target))) {
  create_folders(folder_of(target_));
  for (;;) {
    temporary_ = temporary_beside(target_);
    if (::mkdir(temporary_.c_str(), 0777) == 0) return;
    if (errno != EEXIST) fail(target_, "cannot be created", last_error());
  }
}

FolderWriter::~FolderWriter() {
  if (published_) return;
  std::error_code problem;
  fs::remove_all(temporary_, problem);
  if (problem) {
    log::warning("{}: a temporary folder is left: {}.", temporary_.string(), problem.message());
  }
}

void FolderWriter::publish() {
  if (published_) throw Error(fmt::format("{} was published already.", target_.string()));
  try {
    sync_tree(temporary_);
  } catch (const fs::filesystem_error& problem) {
    fail(target_, "cannot be synced to disk", problem.code());
  }
  std::error_code problem;
  const fs::file_status old = fs::symlink_status(target_, problem);
  if (!fs::exists(old)) {
    if (::rename(temporary_.c_str(), target_.c_str()) != 0) {
      fail(target_, "cannot be created", last_error());
    }
    published_ = true;
    sync_path(folder_of(target_));
    return;
  }
  if (!fs::is_directory(old)) {
    fail(target_, "cannot be replaced", std::make_error_code(std::errc::not_a_directory));
  }
  // A rename never replaces a folder that holds something. Exchanging the two leaves no moment
  // without a whole folder at `target_`; file systems that cannot have a short one.
  fs::path replaced = temporary_;
  if (::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, target_.c_str(), RENAME_EXCHANGE) != 0) {
    replaced = temporary_beside(target_);
    if (::rename(target_.c_str(), replaced.c_str()) != 0) {
      fail(target_, "cannot be replaced", last_error());
    }
    if (::rename(temporary_.c_str(), target_.c_str()) != 0) {
      const std::error_code reason = last_error();
      if (::rename(replaced.c_str(), target_.c_str()) != 0) {
        fail(target_, fmt::format("cannot be replaced, the old one is at {}", replaced.string()),
             reason);
      }
      fail(target_, "cannot be replaced", reason);
    }
  }
  published_ = true;
  sync_path(folder_of(target_));
  fs::remove_all(replaced, problem);
  if (problem) {
    log::warning("{}: what it held before is left at {}: {}.", target_.string(), replaced.string(),
                 problem.message());
  }
}

}  // namespace diffuse
