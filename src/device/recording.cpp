#include "diffuse/device/recording.hpp"

#include <ATen/autocast_mode.h>
#include <ATen/ops/empty.h>

#include <utility>

#include "device/cuda_module.hpp"

namespace diffuse {
namespace {

/// What stands for a recording on a device that queues nothing.
class Repeated final : public Recording {
 public:
  explicit Repeated(std::function<void()> work) : work_(std::move(work)) {}
  void replay() override { work_(); }

 private:
  std::function<void()> work_;
};

std::span<std::byte> bytes_of(const at::Tensor& tensor) {
  return {static_cast<std::byte*>(tensor.mutable_data_ptr()), tensor.nbytes()};
}

}  // namespace

void run_apart(at::Device device, const std::function<void()>& work) {
  if (device.is_cuda())
    cuda::open_module().table->run_apart(device.index(), work);
  else
    work();
}

std::unique_ptr<Recording> record(at::Device device, std::function<void()> work) {
  if (device.is_cuda()) {
    // Autocast keeps copies of the weights in half precision: a recording must make its own, and
    // nobody else may take those, which are computed when it is replayed.
    struct NoCopies {
      NoCopies() { at::autocast::clear_cache(); }
      ~NoCopies() { at::autocast::clear_cache(); }
    };
    const NoCopies before_and_after;
    return cuda::open_module().table->record(device.index(), work);
  }
  return std::make_unique<Repeated>(std::move(work));
}

void upload(const at::Tensor& to, const std::function<void(std::span<std::byte>)>& fill) {
  if (to.device().is_cpu()) return fill(bytes_of(to));
  // LibTorch keeps the page-locked memory until the copy is done, and then for the next one.
  const at::Tensor host = at::empty(to.sizes(), at::TensorOptions(to.dtype()).pinned_memory(true));
  fill(bytes_of(host));
  to.copy_(host, /*non_blocking=*/true);
}

}  // namespace diffuse
