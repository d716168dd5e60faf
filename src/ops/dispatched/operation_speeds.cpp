#include "diffuse/ops/dispatched/operation_speeds.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "diffuse/base/system.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/ops/dispatched/bias_activation.hpp"
#include "diffuse/ops/dispatched/initial_state.hpp"
#include "diffuse/ops/dispatched/row_norm.hpp"
#include "diffuse/ops/dispatched/text_rows.hpp"

namespace diffuse {
namespace {

constexpr std::int64_t kTextRows = 64;
constexpr std::int64_t kWords = 40'000;
const std::vector<std::int64_t> kShifts = {-2, -1, 0, 1, 2};

at::Tensor numbers(at::IntArrayRef shape, at::Device device) {
  return at::randn(shape, at::detail::createCPUGenerator(1), at::TensorOptions(at::kFloat))
      .to(device);
}

class Stopwatch {
 public:
  explicit Stopwatch(at::Device device) : device_(device) {}

  /// The median time of a call of `work`, whose smallest traffic is `bytes`.
  void add(const std::string& operation, double bytes, const std::function<void()>& work) {
    constexpr int kRounds = 5;
    const int calls = device_.is_cpu() ? 1 : 4;  // a GPU is told of the next while one runs
    work();
    std::vector<double> times;
    for (int round = 0; round < kRounds; ++round) {
      synchronize(device_);
      const double start_s = steady_now_s();
      for (int call = 0; call < calls; ++call) work();
      synchronize(device_);
      times.push_back((steady_now_s() - start_s) / calls);
    }
    std::ranges::nth_element(times, times.begin() + kRounds / 2);
    OperationSpeed speed{.operation = operation, .time_s = times[kRounds / 2]};
    speed.bytes_per_s = bytes / speed.time_s;
    speed.of_copy = speeds_.empty() ? 1 : speed.bytes_per_s / speeds_.front().bytes_per_s;
    speeds_.push_back(std::move(speed));
  }

  /// The same of what `compute` makes of `leaves`, and of the gradients of these.
  void add_both(const std::string& operation, double bytes, double gradient_bytes,
                const std::vector<at::Tensor>& leaves, const std::function<at::Tensor()>& compute) {
    add(operation, bytes, [&] {
      const at::NoGradGuard no_grad;
      compute();
    });
    const at::AutoGradMode with_gradient(true);
    const at::Tensor result = compute();
    const at::Tensor gradient = at::empty_like(result).fill_(0.5);
    add(operation + ", gradient", gradient_bytes,
        [&] { torch::autograd::grad({result}, leaves, {gradient}, /*retain_graph=*/true); });
  }

  std::vector<OperationSpeed> take() { return std::move(speeds_); }

 private:
  at::Device device_;
  std::vector<OperationSpeed> speeds_;
};

}  // namespace

std::vector<OperationSpeed> operation_speeds(at::Device device, std::int64_t rows,
                                             std::int64_t dim) {
  const double state = static_cast<double>(rows * dim) * sizeof(float);  // bytes of one
  const double table = static_cast<double>(kWords * dim) * sizeof(float);
  const at::Tensor values = numbers({rows, dim}, device).set_requires_grad(true);
  const at::Tensor base = numbers({rows, dim}, device).set_requires_grad(true);
  const at::Tensor weight = numbers({std::ssize(kShifts), dim}, device).set_requires_grad(true);
  const at::Tensor keep = at::full({dim}, 0.5, weight.options()).set_requires_grad(true);
  const at::Tensor words = numbers({kWords, dim}, device).set_requires_grad(true);
  const at::Tensor ids =
      at::randint(kWords, {rows}, at::detail::createCPUGenerator(2), at::TensorOptions(at::kInt))
          .to(device);
  at::Tensor offsets =
      at::arange(0, rows + kTextRows, kTextRows, at::TensorOptions(at::kInt)).clamp_max(rows);
  const TextRows texts(offsets.to(device), rows);
  const at::Tensor place = random_place({.seed = 1}, ids);
  const at::Tensor target = at::empty_like(values.detach());

  Stopwatch watch(device);
  watch.add("copy", 2 * state, [&] { target.copy_(values.detach()); });
  watch.add_both("initial_state", 2 * state, 2 * state + table, {words},
                 [&] { return initial_state({.words = words, .word_ids = ids}); });
  watch.add_both("initial_state, noise and dropout", 2 * state, 4 * state + table, {words}, [&] {
    return initial_state(
        {.words = words, .word_ids = ids, .place = place, .noise_std = 0.1, .dropout = 0.2});
  });
  watch.add_both("neighbour_mix", 3 * state, 6 * state, {values, base, weight, keep},
                 [&] { return neighbour_mix(values, base, weight, keep, texts, kShifts); });
  watch.add_both("neighbour_blend", 3 * state, 5 * state, {values, base, weight},
                 [&] { return neighbour_blend(values, base, weight, 0.5, texts, kShifts); });
  const at::Tensor scale = numbers({dim}, device).set_requires_grad(true);
  const at::Tensor bias = numbers({dim}, device).set_requires_grad(true);
  watch.add_both("row_norm", 2 * state, 3 * state, {values, scale, bias},
                 [&] { return row_norm(values, scale, bias, 1e-5, at::kFloat); });
  watch.add_both("bias_activation gelu", 2 * state, 3 * state, {values, bias},
                 [&] { return bias_activation(values, bias, Activation::gelu); });
  if (dim % 2 == 0)
    watch.add_both("gated_activation silu", 1.5 * state, 2.5 * state, {values, bias},
                   [&] { return gated_activation(values, bias, Activation::silu); });
  watch.add_both("pool_texts mean", state, state, {values},
                 [&] { return pool_texts(values, texts, Pooling::mean); });
  watch.add_both("pool_texts mean_max", state, 2 * state, {values},
                 [&] { return pool_texts(values, texts, Pooling::mean_max); });
  watch.add_both("dropped_elements", 2 * state, 2 * state, {values}, [&] {
    return dropped_elements(values, place, RandomStream::head_input_dropout, 0.2);
  });
  return watch.take();
}

}  // namespace diffuse
