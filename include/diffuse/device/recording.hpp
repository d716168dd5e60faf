#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <span>

namespace diffuse {

/// Work of a device that was recorded once and is launched as one from then on (a CUDA graph).
class Recording {
 public:
  Recording() = default;
  virtual ~Recording() = default;
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  /// Queues what was recorded, on the same memory as then.
  virtual void replay() = 0;
};

/// Calls `work`, which queues work for `device` apart from all else, as recordings need it, but
/// behind what was queued before and before what will be. On the CPU: calls it.
void run_apart(at::Device device, const std::function<void()>& work);

/// Records what `work` queues, without running it; to be called in run_apart, after such work ran
/// there once. On the CPU, which queues nothing, each replay calls `work`. Throws c10::Error where
/// `work` does what cannot be recorded: waits for the device, copies from ordinary memory.
std::unique_ptr<Recording> record(at::Device device, std::function<void()> work);

/// Lets `fill` write the bytes of `to`, which are in a row, on any device. Returns before a device
/// has them, but in the order of what is queued.
void upload(const at::Tensor& to, const std::function<void(std::span<std::byte>)>& fill);

}  // namespace diffuse
