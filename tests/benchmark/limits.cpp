#include "limits.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/ops/add.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <ctime>
#include <map>
#include <string>

#include "diffuse/base/system.hpp"

namespace diffuse {
namespace {

// Of an array: together beyond any last-level cache of few cores.
constexpr std::int64_t kStreamFloats = std::int64_t{16} << 20;

at::Tensor random_matrix(std::int64_t rows, std::int64_t columns) {
  return at::randn({rows, columns}, at::detail::createCPUGenerator(1),
                   at::TensorOptions(at::kFloat));
}

/// Three square matrices, of which the third is the product.
struct Product {
  explicit Product(std::int64_t size)
      : a(random_matrix(size, size)), b(random_matrix(size, size)), c(random_matrix(size, size)) {}
  void call() { at::mm_out(c, a, b); }
  double flops() const {
    const auto size = static_cast<double>(a.size(0));
    return 2 * size * size * size;
  }
  at::Tensor a, b, c;
};

struct Stream {
  void copy() { to.copy_(from); }
  void triad() { at::add_out(to, from, other, 0.5); }
  static double copy_bytes() { return 2.0 * sizeof(float) * kStreamFloats; }
  static double triad_bytes() { return 3.0 * sizeof(float) * kStreamFloats; }
  at::Tensor to = at::zeros({kStreamFloats});
  at::Tensor from = random_matrix(1, kStreamFloats).view({kStreamFloats});
  at::Tensor other = from.clone();
};

Stream& stream() {
  static Stream made;
  return made;
}

double processor_now_s() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Of a few calls the fastest: the others met something else of the machine.
template <class Call>
double best_s(int calls, int threads, const Call& call) {
  const auto now_s = threads == 1 ? processor_now_s : steady_now_s;
  double best = 1e9;
  for (int i = 0; i < calls; ++i) {
    const double start = now_s();
    call();
    best = std::min(best, now_s() - start);
  }
  return best;
}

Limits measure(int threads) {
  static Product products[] = {Product(256), Product(512), Product(1024)};
  Limits limits;
  for (Product& product : products)
    limits.flops_per_s =
        std::max(limits.flops_per_s, product.flops() / best_s(3, threads, [&] { product.call(); }));
  limits.bytes_per_s =
      std::max(Stream::copy_bytes() / best_s(2, threads, [] { stream().copy(); }),
               Stream::triad_bytes() / best_s(2, threads, [] { stream().triad(); }));
  return limits;
}

void product_benchmark(benchmark::State& state, std::int64_t size, int threads) {
  at::set_num_threads(threads);
  Product product(size);
  for ([[maybe_unused]] auto _ : state) product.call();
  report_work(state, {.flops = product.flops()}, measured_limits(threads));
}

/// A triad is a = b + s · c.
void stream_benchmark(benchmark::State& state, bool triad, int threads) {
  at::set_num_threads(threads);
  for ([[maybe_unused]] auto _ : state) triad ? stream().triad() : stream().copy();
  report_work(state, {.bytes = triad ? Stream::triad_bytes() : Stream::copy_bytes()},
              measured_limits(threads));
}

const bool registered_limits = [] {
  for (const int threads : {1, 2}) {
    const auto add = [threads](const std::string& name, auto... more) {
      const std::string thread = threads == 1 ? "1 thread" : "2 threads";
      timed(
          benchmark::RegisterBenchmark(("limits/" + name + "/" + thread).c_str(), more..., threads),
          threads);
    };
    for (const std::int64_t size : {64, 256, 512, 1024, 2048})
      add("product of " + std::to_string(size) + " x " + std::to_string(size), product_benchmark,
          size);
    add("copy of 64 MiB", stream_benchmark, false);
    add("triad of 64 MiB", stream_benchmark, true);
  }
  return true;
}();

}  // namespace

const Limits& measured_limits(int threads) {
  struct Measured {
    Limits limits;
    double time_s = -1e9;
  };
  constexpr double kStale_s = 2;
  static std::map<int, Measured> known;
  Measured& measured = known[threads];
  if (steady_now_s() - measured.time_s > kStale_s) {
    const int before = at::get_num_threads();
    at::set_num_threads(threads);
    measured.limits = measure(threads);
    measured.time_s = steady_now_s();
    at::set_num_threads(before);
  }
  return measured.limits;
}

void report_work(benchmark::State& state, const LeastWork& work, const Limits& of) {
  const auto rate = [&](const char* name, double value) {
    if (value > 0)
      state.counters[name] =
          benchmark::Counter(value, benchmark::Counter::kIsIterationInvariantRate);
  };
  rate("FLOP/s", work.flops);
  rate("B/s", work.bytes);
  rate("of_product", work.flops / of.flops_per_s);
  rate("of_stream", work.bytes / of.bytes_per_s);
}

}  // namespace diffuse
