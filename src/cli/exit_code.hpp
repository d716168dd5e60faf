#pragma once

namespace diffuse::cli {

/// What the program tells its caller. A run stopped by a signal returns 128 + its number (129 for
/// SIGHUP, 130 for SIGINT, 143 for SIGTERM, 152 for SIGXCPU).
enum ExitCode : int {
  kDone = 0,
  kFailed = 1,       ///< the machine, or at least one line of `predict`
  kUserMistake = 2,  ///< changing the command line or a file of the user's is the cure
  kSignalBase = 128,
};

}  // namespace diffuse::cli
