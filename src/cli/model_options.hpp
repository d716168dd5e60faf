#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <string>

#include "diffuse/model/checkpoint.hpp"

namespace CLI {
class App;
}

namespace diffuse::cli {

/// What `eval` and `predict` have in common.
struct ModelOptions {
  std::string checkpoint;
  std::string device = "auto";
  std::int64_t threads = 0;
  std::int64_t batch_size = 256;
};

/// Declares --checkpoint, --device, --threads and --batch-size.
void add_model_options(CLI::App& verb, ModelOptions& options);

/// A checkpoint's model, ready to run.
struct OpenedModel {
  std::filesystem::path folder;  ///< of the checkpoint
  LoadedModel model;             ///< on `device`
  at::Device device;
  int threads = 1;
};

/// Chooses device and threads and loads the checkpoint. Throws CheckpointError, UsageError and
/// SystemError.
OpenedModel open_model(const ModelOptions& options);

}  // namespace diffuse::cli
