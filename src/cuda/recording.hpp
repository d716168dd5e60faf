#pragma once

#include <functional>
#include <memory>

#include "diffuse/device/recording.hpp"

namespace diffuse::cuda {

/// diffuse/device/recording.hpp for CUDA device `index`.
void run_apart(int index, const std::function<void()>& work);
std::unique_ptr<Recording> record(int index, const std::function<void()>& work);

}  // namespace diffuse::cuda
