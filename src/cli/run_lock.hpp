#pragma once

#include <filesystem>

namespace diffuse::cli {

/// Keeps a run directory to this process while it lives: no two trainings write into one.
class RunLock {
 public:
  /// Throws UsageError if another process has it. Where the file system has no locks a warning says
  /// so.
  explicit RunLock(const std::filesystem::path& run_dir);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace diffuse::cli
