#include "recording.hpp"

#include <ATen/Context.h>
#include <ATen/core/CachingHostAllocator.h>
#include <ATen/cuda/CUDAEvent.h>
#include <ATen/cuda/CUDAGeneratorImpl.h>
#include <ATen/cuda/CUDAGraph.h>
#include <ATen/ops/empty.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGraphsC10Utils.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/version.h>

#include <map>
#include <memory>

#include "kernels.hpp"

namespace diffuse::cuda {
namespace {

using at::cuda::CUDAGraph;
using at::cuda::MempoolId_t;

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

template <class Call>
void quietly(const Call& call) {
  try {
    call();
  } catch (const std::exception&) {
    // That something failed is known.
  }
}

/// A graph whose capture may fail.
class Graph final : public CUDAGraph {
 public:
  /// Takes the generators out of a capture that failed. LibTorch 2.11 leaves them in it, and from
  /// then on they refuse to draw, and earlier graphs to be replayed.
  void let_generators_go() {
    for (const auto& one : captured_generator_states_) let_go(*one.first);
  }

 private:
  /// A template, for versions of LibTorch whose generators know the captures that they are in.
  template <class State>
  static void let_go(State& state) {
    if constexpr (requires { state.capturing_; }) state.capturing_ = false;
  }
};

/// Takes the host's memory out of a capture that failed; before LibTorch 2.11 none is in it.
void let_host_memory_go([[maybe_unused]] MempoolId_t pool) {
#if TORCH_VERSION_MAJOR > 2 || TORCH_VERSION_MINOR >= 11
  auto* const host = at::getHostAllocator(at::kCUDA);
  host->end_allocate_to_pool(pool);
  host->release_pool(pool);
#endif
}

/// Ends a capture that failed. LibTorch 2.11 leaves its allocators at it where CUDA finds the
/// capture invalid, and then they free no memory any more.
void abandon(Graph& graph, int index, MempoolId_t pool) {
  using c10::cuda::CaptureStatus;
  quietly([&] {
    // What has ended must not be ended again: it would lose the graph that could not be made ready.
    if (c10::cuda::currentStreamCaptureStatusMayInitCtx() != CaptureStatus::None)
      graph.capture_end();
  });
  // Where LibTorch has ended them, or begun none, the first calls throw, and nothing is released:
  // the graph does that, and what is released once too often is taken from other recordings.
  quietly([&] {
    c10::cuda::CUDACachingAllocator::endAllocateToPool(as_device(index), pool);
    c10::cuda::CUDACachingAllocator::releasePool(as_device(index), pool);
  });
  quietly([&] { let_host_memory_go(pool); });
  graph.let_generators_go();
}

void capture(Graph& graph, int index, MempoolId_t pool, const std::function<void()>& work) {
  try {
    graph.capture_begin(pool);
    work();
    graph.capture_end();
  } catch (...) {
    abandon(graph, index, pool);
    throw;
  }
}

/// The memory of all recordings of a device: what one leaves in it, the next may overwrite.
/// LibTorch takes no recording into memory whose last one is gone, and gives none back to others
/// while there is one: so a recording of a single kernel stays as long as any other.
struct RecordingPool {
  MempoolId_t id = at::cuda::graph_pool_handle();
  at::Tensor place;
  Graph graph;
};

std::shared_ptr<RecordingPool> pool_of(int index) {
  static std::map<int, std::weak_ptr<RecordingPool>> pools;
  std::shared_ptr<RecordingPool> pool = pools[index].lock();
  if (pool) return pool;
  pool = std::make_shared<RecordingPool>();
  pool->place =
      at::empty({2}, at::TensorOptions(at::Device(at::kCUDA, as_device(index))).dtype(at::kLong));
  const auto write = [&] {
    write_place(0, 0, pool->place.mutable_data_ptr<std::int64_t>(),
                c10::cuda::getCurrentCUDAStream());
  };
  write();  // as all that is recorded: CUDA loads a kernel where it is first launched
  capture(pool->graph, index, pool->id, write);
  pools[index] = pool;
  return pool;
}

class GraphRecording final : public Recording {
 public:
  GraphRecording(int index, const std::function<void()>& work) : pool_(pool_of(index)) {
    capture(graph_, index, pool_->id, work);
  }

  void replay() override { graph_.replay(); }

 private:
  std::shared_ptr<RecordingPool> pool_;  // outlives the graph
  Graph graph_;
};

/// Lets what is queued in a stream from now on wait for what was queued in another, however the
/// block is left.
class OrderAtEnd {
 public:
  OrderAtEnd(const c10::cuda::CUDAStream& first, const c10::cuda::CUDAStream& second)
      : first_(first), second_(second) {}
  ~OrderAtEnd() {
    quietly([this] { order(first_, second_); });
  }
  OrderAtEnd(const OrderAtEnd&) = delete;
  OrderAtEnd& operator=(const OrderAtEnd&) = delete;

 private:
  c10::cuda::CUDAStream first_;
  c10::cuda::CUDAStream second_;
};

}  // namespace

void run_apart(int index, const std::function<void()>& work) {
  at::globalContext().lazyInitDevice(c10::DeviceType::CUDA);
  const c10::cuda::CUDAGuard device(as_device(index));
  const c10::cuda::CUDAStream before = c10::cuda::getCurrentCUDAStream(as_device(index));
  const c10::cuda::CUDAStream apart = recording_stream(index);
  order(before, apart);
  const OrderAtEnd back(apart, before);
  const c10::cuda::CUDAStreamGuard guard(apart);
  work();
}

std::unique_ptr<Recording> record(int index, const std::function<void()>& work) {
  at::globalContext().lazyInitDevice(c10::DeviceType::CUDA);
  const c10::cuda::CUDAGuard device(as_device(index));
  const c10::cuda::CUDAStreamGuard apart(recording_stream(index));
  try {
    return std::make_unique<GraphRecording>(index, work);
  } catch (const c10::OutOfMemoryError&) {
    // What the same work took before, kernel by kernel, is kept for its like; a recording has
    // memory of its own.
    c10::cuda::CUDACachingAllocator::emptyCache();
    return std::make_unique<GraphRecording>(index, work);
  }
}

}  // namespace diffuse::cuda
