#include "diffuse/base/build_info.hpp"

#include <sstream>
#include <vector>

#include "build_info_values.hpp"

namespace diffuse {
namespace {

/// The numbers of "1.20.3", as far as they go.
std::vector<int> version_numbers(const std::string& version) {
  std::vector<int> numbers;
  std::istringstream text(version);
  for (int number = 0; text >> number; text.ignore(1, '.')) numbers.push_back(number);
  return numbers;
}

}  // namespace

const BuildInfo& build_info() {
  static const BuildInfo info{
      build_info_values::kVersion,         build_info_values::kCommit,
      build_info_values::kBuildType,       build_info_values::kCompiler,
      build_info_values::kLibtorchVersion, build_info_values::kFlags,
      build_info_values::kChecks,          build_info_values::kTests,
      build_info_values::kCudaReason,      build_info_values::kSummary,
      build_info_values::kCudaModule,
  };
  return info;
}

bool is_newer_version(const std::string& version) {
  return version_numbers(version) > version_numbers(build_info().version);
}

}  // namespace diffuse
