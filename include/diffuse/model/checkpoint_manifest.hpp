#pragma once

#include <filesystem>
#include <string>

namespace diffuse {

/// Who wrote a checkpoint, as its `manifest.json` says.
struct CheckpointOrigin {
  std::string id;       ///< 32 hexadecimal digits over all its files; empty without a manifest
  std::string version;  ///< of the program, "0.1.0"; empty without a manifest
  std::string commit;

  /// " It was written by ...": which program to take where this one cannot read it. Empty where
  /// this build wrote it, or nobody knows.
  std::string advice() const;
};

/// What a checkpoint is opened for.
enum class CheckpointUse {
  model,    ///< evaluation and prediction, which need no `optimizer.safetensors` and `state.json`
  training  ///< going on with it, which needs all of its files
};

/// Writes `manifest.json` into the checkpoint folder `folder`, when all other files are there: the
/// program's version, the XXH3-128 checksum of each file and an id over all of them. Throws
/// SystemError.
void write_checkpoint_manifest(const std::filesystem::path& folder);

/// Checks the files of the checkpoint folder `folder` against its manifest. A folder without one,
/// as older versions wrote them, is taken as it is, with a line in the log. Throws CheckpointError
/// naming each file that is missing or is not the one that was written, or saying that a newer
/// version of the program wrote them.
CheckpointOrigin check_checkpoint(const std::filesystem::path& folder, CheckpointUse use);

}  // namespace diffuse
