#include "run_directory.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "diffuse/base/error.hpp"

namespace diffuse::cli {
namespace fs = std::filesystem;
namespace {

const fs::path kRunsFolder = "runs";

/// False if something of that name is there already; throws SystemError if it cannot be created.
bool create(const fs::path& folder) {
  std::error_code error;
  const bool created = fs::create_directory(folder, error);
  if (!created && error && error != std::errc::file_exists) {
    throw SystemError(
        fmt::format("{}: the folder cannot be created: {}.", folder.string(), error.message()));
  }
  return created;
}

void create_parents(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    throw SystemError(
        fmt::format("{}: the folder cannot be created: {}.", folder.string(), error.message()));
  }
}

/// A folder can only be made below one that exists and may be written to. `what` names it in
/// messages.
void check_parent(const fs::path& out, const std::string& what) {
  std::error_code error;
  fs::path parent = fs::absolute(out).lexically_normal().parent_path();
  while (!fs::exists(parent, error) && parent != parent.root_path()) parent = parent.parent_path();
  if (!fs::is_directory(parent, error)) {
    throw UsageError(fmt::format("{}: {} is a file; expected a folder.", what, parent.string()));
  }
  if (access(parent.c_str(), W_OK) != 0) {
    throw UsageError(fmt::format("{}: the folder {} cannot be written to: {}.", what,
                                 parent.string(), std::strerror(errno)));
  }
}

}  // namespace

void check_run_directory(const fs::path& out) {
  if (out.empty()) {
    check_parent(kRunsFolder / "new",
                 fmt::format("the run directory goes below {}/", kRunsFolder.string()));
    return;
  }
  std::error_code error;
  const bool exists = fs::exists(out, error);
  if (error) throw UsageError(fmt::format("--out {}: {}.", out.string(), error.message()));
  if (!exists) {
    check_parent(out, "--out " + out.string());
    return;
  }
  if (!fs::is_directory(out, error)) {
    throw UsageError(
        fmt::format("--out {}: this is a file; expected a new or empty folder.", out.string()));
  }
  if (!fs::is_empty(out, error)) {
    throw UsageError(fmt::format(
        "--out {}: the folder is not empty; name a new one, or leave --out away for a numbered "
        "one under runs/.",
        out.string()));
  }
}

fs::path create_run_directory(const fs::path& out, const std::string& name) {
  if (!out.empty()) {
    check_run_directory(out);
    create_parents(out);
    return out;
  }
  create_parents(kRunsFolder);
  const fs::path first = kRunsFolder / name;
  fs::path folder = first;
  for (int number = 2; !create(folder); ++number) {
    folder = first.string() + "-" + std::to_string(number);
  }
  return folder;
}

std::string run_name(const fs::path& config, const fs::path& train_file) {
  fs::path name = config.empty() ? train_file.filename() : config.filename();
  if (name.extension() == ".gz") name = name.stem();
  name = name.stem();
  return name.empty() ? "run" : name.string();
}

}  // namespace diffuse::cli
