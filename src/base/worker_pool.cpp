#include "diffuse/base/worker_pool.hpp"

#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "diffuse/base/error.hpp"

namespace diffuse {
namespace {

/// Some 10 µs of looking before sleep: as long as waking takes.
constexpr int kLooks = 300;

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

/// Waits until `value` is no longer `old`.
template <class T>
void wait_for_change(const std::atomic<T>& value, T old) {
  for (int i = 0; i < kLooks; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    relax();
  }
  value.wait(old, std::memory_order_acquire);
}

/// A round of tasks in one number, so that taking one is one exchange: a thread that comes late
/// finds either nothing left or a task of the round that it read. Nobody waits for such a thread.
struct Round {
  static constexpr std::uint64_t kBits = 20;
  static constexpr std::uint64_t kMask = (1U << kBits) - 1;
  std::uint64_t packed;

  std::uint64_t next() const { return packed & kMask; }
  std::uint64_t count() const { return packed >> kBits & kMask; }
  Round after_one() const { return {packed + 1}; }
  Round following(std::uint64_t count) const {
    return {((packed >> 2 * kBits) + 1) << 2 * kBits | count << kBits};
  }
};

constexpr std::uint64_t kStop = ~std::uint64_t{0};

}  // namespace

struct WorkerPool::Implementation {
  std::atomic<std::uint64_t> round{0};
  std::atomic<std::uint64_t> done{0};
  const Work* work = nullptr;  // changes only while no task is taken
  std::mutex failure_mutex;
  std::exception_ptr failure;
  std::vector<std::thread> threads;

  /// Works until no task is left; returns the round's last state.
  std::uint64_t take_tasks(std::int64_t worker) {
    std::uint64_t seen = round.load(std::memory_order_acquire);
    while (seen != kStop) {
      const Round now{seen};
      if (now.next() >= now.count()) break;
      if (!round.compare_exchange_weak(seen, now.after_one().packed, std::memory_order_acq_rel))
        continue;
      try {
        (*work)(static_cast<std::int64_t>(now.next()), worker);
      } catch (...) {
        const std::lock_guard lock(failure_mutex);
        if (!failure) failure = std::current_exception();
      }
      if (done.fetch_add(1, std::memory_order_acq_rel) + 1 == now.count()) done.notify_one();
      seen = round.load(std::memory_order_acquire);
    }
    return seen;
  }

  void serve(std::int64_t worker) {
    while (true) {
      const std::uint64_t seen = take_tasks(worker);
      if (seen == kStop) return;
      wait_for_change(round, seen);
    }
  }
};

WorkerPool::WorkerPool(std::int64_t threads) : self_(std::make_unique<Implementation>()) {
  try {
    for (std::int64_t worker = 1; worker < threads; ++worker)
      self_->threads.emplace_back([this, worker] { self_->serve(worker); });
  } catch (const std::system_error&) {
    // No more threads can be had: those that there are do it all.
  }
}

WorkerPool::~WorkerPool() {
  self_->round = kStop;
  self_->round.notify_all();
  for (std::thread& thread : self_->threads) thread.join();
}

std::int64_t WorkerPool::threads() const {
  return static_cast<std::int64_t>(self_->threads.size()) + 1;
}

void WorkerPool::run(std::int64_t count, const Work& work) {
  if (count < 1) return;
  if (static_cast<std::uint64_t>(count) > Round::kMask)
    throw Error("WorkerPool: more than a million tasks in one call.");
  Implementation& self = *self_;
  self.work = &work;
  self.failure = nullptr;
  self.done.store(0, std::memory_order_relaxed);
  const auto wanted = static_cast<std::uint64_t>(count);
  self.round.store(Round{self.round.load(std::memory_order_relaxed)}.following(wanted).packed,
                   std::memory_order_release);
  if (count > 1) self.round.notify_all();
  self.take_tasks(0);
  for (std::uint64_t done = self.done.load(std::memory_order_acquire); done < wanted;
       done = self.done.load(std::memory_order_acquire))
    wait_for_change(self.done, done);
  if (self.failure) std::rethrow_exception(self.failure);
}

}  // namespace diffuse
