#include "recording.hpp"

#include <ATen/Context.h>
#include <ATen/cuda/CUDAEvent.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <map>

namespace diffuse::cuda {
namespace {

c10::DeviceIndex as_device(int index) { return static_cast<c10::DeviceIndex>(index); }

/// The stream of a device in which its recordings are made and launched. CUDA records no work of
/// the default stream.
c10::cuda::CUDAStream recording_stream(int index) {
  static std::map<int, c10::cuda::CUDAStream> streams;
  const auto found = streams.find(index);
  if (found != streams.end()) return found->second;
  return streams
      .emplace(index, c10::cuda::getStreamFromPool(/*isHighPriority=*/false, as_device(index)))
      .first->second;
}

/// What is queued in `second` from now on waits for what is queued in `first`.
void order(const c10::cuda::CUDAStream& first, const c10::cuda::CUDAStream& second) {
  at::cuda::CUDAEvent event;
  event.record(first);
  event.block(second);
}

class GraphRecording final : public Recording {
 public:
  explicit GraphRecording(const std::function<void()>& work) {
    // One pool for all: what one recording leaves in it, the next may overwrite.
    static const at::cuda::MempoolId_t pool = at::cuda::graph_pool_handle();
    graph_.capture_begin(pool);
    try {
      work();
    } catch (...) {
      end_after_failure();
      throw;
    }
    graph_.capture_end();
  }

  void replay() override { graph_.replay(); }

 private:
  void end_after_failure() {
    try {
      graph_.capture_end();
    } catch (const c10::Error&) {
      // That the capture is not valid is known.
    }
  }

  at::cuda::CUDAGraph graph_;
};

}  // namespace

void run_apart(int index, const std::function<void()>& work) {
  at::globalContext().lazyInitDevice(c10::DeviceType::CUDA);
  const c10::cuda::CUDAGuard device(as_device(index));
  const c10::cuda::CUDAStream before = c10::cuda::getCurrentCUDAStream(as_device(index));
  const c10::cuda::CUDAStream apart = recording_stream(index);
  order(before, apart);
  {
    const c10::cuda::CUDAStreamGuard guard(apart);
    work();
  }
  order(apart, before);
}

std::unique_ptr<Recording> record(int index, const std::function<void()>& work) {
  at::globalContext().lazyInitDevice(c10::DeviceType::CUDA);
  const c10::cuda::CUDAGuard device(as_device(index));
  const c10::cuda::CUDAStreamGuard apart(recording_stream(index));
  return std::make_unique<GraphRecording>(work);
}

}  // namespace diffuse::cuda
