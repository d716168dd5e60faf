#pragma once

#include <filesystem>

namespace diffuse::testing {

/// The folder of the test program, tests/bin of a build folder or of a packed one
/// (scripts/gpu_report.sh --pack).
inline std::filesystem::path program_folder() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path();
}

/// Where the CUDA module lies, seen from there.
inline std::filesystem::path module_folder() {
  return (program_folder() / "../../libexec").lexically_normal();
}

}  // namespace diffuse::testing
