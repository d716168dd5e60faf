#pragma once

#include <c10/core/Device.h>

#include <string>

#include "diffuse/model/recorded_batches.hpp"

namespace diffuse {

/// What is wrong with updates that `record` recorded on `device`, as part of a sentence: whether
/// the weights of a small model are others after them than after the same ones launched kernel by
/// kernel. Empty: nothing.
std::string recording_problem(at::Device device, const Record& record);

/// `record` of diffuse/device/recording.hpp where updates are right with it, else null, with a
/// warning the first time. On a device found out once, in a tenth of a second; on the CPU, which
/// records nothing, not at all.
Record recording_that_works(at::Device device);

}  // namespace diffuse
