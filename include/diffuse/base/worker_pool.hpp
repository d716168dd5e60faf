#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace diffuse {

/// Threads that share out numbered tasks. They wait for work a few microseconds awake, then asleep,
/// so that a thread without work never takes time from another process: a thread of a spinning pool
/// beside a busy neighbour makes everybody wait.
class WorkerPool {
 public:
  /// `threads`: those that work, the caller's among them; at least 1. Fewer where the system has no
  /// more to give.
  explicit WorkerPool(std::int64_t threads);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  std::int64_t threads() const;

  /// Calls `work(task, worker)` for each task of 0 … count - 1, in order of their numbers but at
  /// the same time, and returns when all are done; `worker` is below threads(), and no two calls at
  /// the same time have the same. The first exception of a task is thrown here, after all have
  /// ended. Not to be called from a task.
  using Work = std::function<void(std::int64_t task, std::int64_t worker)>;
  void run(std::int64_t count, const Work& work);

 private:
  struct Implementation;
  std::unique_ptr<Implementation> self_;
};

}  // namespace diffuse
