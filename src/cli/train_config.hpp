#pragma once

#include <filesystem>

#include "diffuse/config/config.hpp"
#include "train.hpp"

namespace diffuse::cli {

/// The effective config of a training run, after whatever can be found wrong before any work: the
/// command line, the config and its files, the device, the run directory. Throws UsageError with
/// all of it at once, or SystemError where the machine alone is at fault.
///
/// With `options.resume` it is the run's own config with the command line over it, and a key that
/// must not change then is a fault, too.
Config checked_config(const TrainOptions& options);

}  // namespace diffuse::cli
