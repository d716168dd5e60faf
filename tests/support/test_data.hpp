#pragma once

#include <cstdlib>
#include <filesystem>

namespace diffuse::testing {

/// The folder of this test program's fixtures: that of its sources, or its namesake in
/// DIFFUSE_TEST_DATA, where the programs run without the sources (scripts/gpu_report.sh --pack).
inline std::filesystem::path test_data() {
  const std::filesystem::path built_in = DIFFUSE_TEST_DATA;
  const char* moved = std::getenv("DIFFUSE_TEST_DATA");
  return moved == nullptr ? built_in : std::filesystem::path(moved) / built_in.filename();
}

}  // namespace diffuse::testing
