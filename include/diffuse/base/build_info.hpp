#pragma once

#include <string>

namespace diffuse {

/// What this program was built from, fixed at build time.
struct BuildInfo {
  std::string version;  ///< of the project, "0.1.0"
  std::string commit;   ///< short hash, with "-dirty" where it was; "unknown" outside git
  std::string build_type;
  std::string compiler;
  std::string libtorch_version;  ///< headers compiled against
  std::string flags;             ///< the compiler's, but for the warnings
  std::string checks;            ///< "warnings are errors", "sanitizers address"
  std::string tests;             ///< "ON" where the tests were configured, too
  std::string cuda_reason;       ///< why it has its CUDA module, or has none
  std::string summary;           ///< the block that the configuration printed, below its title
  bool cuda_module = false;      ///< built with the CUDA module
};
const BuildInfo& build_info();

/// Whether `version`, "1.20.3", is that of a newer program than this.
bool is_newer_version(const std::string& version);

}  // namespace diffuse
