#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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
  std::optional<Precision> precision;  ///< nothing: what training was told
  std::optional<Kernel> kernel;        ///< the same
};

/// Declares --checkpoint, --device, --threads, --batch-size, --precision and --kernel.
void add_model_options(CLI::App& verb, ModelOptions& options);

/// Declares --kernel, which lays itself over train.kernel.
void add_kernel_option(CLI::App& verb, std::optional<Kernel>& kernel);
/// Throws UsageError where --kernel asks for a fused kernel that cannot run a model of `type` here.
void check_kernel(std::optional<Kernel> kernel, ModelType type, at::Device device,
                  Precision precision);

/// The names of precisions and what they mean, for `one_of`.
std::vector<std::pair<std::string, Precision>> precision_choices(bool with_auto);

/// A checkpoint's model, ready to run.
struct OpenedModel {
  std::filesystem::path folder;  ///< of the checkpoint
  LoadedModel model;             ///< on `device`
  at::Device device;
  int threads = 1;
  Precision precision = Precision::fp32;  ///< resolved
  Kernel kernel = Kernel::automatic;      ///< what is asked for
};

/// Chooses device, threads, precision and kernel and loads the checkpoint. Throws CheckpointError,
/// UsageError and SystemError.
OpenedModel open_model(const ModelOptions& options);

}  // namespace diffuse::cli
