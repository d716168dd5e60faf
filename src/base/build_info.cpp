#include "diffuse/base/build_info.hpp"

#include "build_info_values.hpp"

namespace diffuse {

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

}  // namespace diffuse
