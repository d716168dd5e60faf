#include "diffuse/ops/dispatched/operation_checks.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "diffuse/config/load.hpp"
#include "diffuse/ops/dispatched/text_rows.hpp"
#include "diffuse/ops/reference/diffusion_step.hpp"
#include "diffuse/ops/reference/segment_pool.hpp"

namespace diffuse {
namespace {

/// A batch, and the neighbours that are mixed.
struct Case {
  std::vector<std::int32_t> offsets;
  std::int64_t dim;
  std::vector<std::int64_t> shifts;

  std::int64_t rows() const { return offsets.back(); }
  std::string text() const {
    return fmt::format("{} texts, {} rows of {}", offsets.size() - 1, rows(), dim);
  }
};

/// Texts of one row, shorter than the neighbourhood, of many chunks; widths that fill no block.
std::vector<Case> cases() {
  return {{{0, 1}, 1, {0}},
          {{0, 3, 4, 9, 10, 12, 45, 176}, 70, {-5, -1, 0, 2}},
          {{0, 2, 7000, 7001, 9001}, 33, {-9, -8, -7, -3, -2, -1, 0, 1, 2, 40}},
          {{0, 1, 65537}, 3, {-60000, 1}}};
}

/// What sums of so many products in single precision may be off by, and a result that is rounded
/// to `type` besides.
double allowed_in(at::ScalarType type) {
  switch (type) {
    case at::kDouble:
      return 1e-11;
    case at::kFloat:
      return 1e-4;
    case at::kHalf:
      return 2e-3;
    default:
      return 1e-2;
  }
}

at::Tensor random(at::IntArrayRef shape, std::uint64_t seed) {
  return at::randn(shape, at::detail::createCPUGenerator(seed), at::TensorOptions(at::kDouble));
}

struct Results {
  at::Tensor value;
  std::vector<at::Tensor> gradients;  // of each leaf
};

/// `compute` of leaves with the numbers of `given`, and the gradients for a random one of its
/// result.
template <class Compute>
Results results_of(const std::vector<at::Tensor>& given, const Compute& compute) {
  const at::AutoGradMode with_gradient(true);
  std::vector<at::Tensor> leaves;
  for (const at::Tensor& one : given) leaves.push_back(one.detach().set_requires_grad(true));
  const at::Tensor value = compute(leaves);
  value.backward(random(value.sizes(), 99).to(value.options().requires_grad(false)));
  Results results{value.detach(), {}};
  for (const at::Tensor& leaf : leaves) results.gradients.push_back(leaf.grad());
  return results;
}

class Checks {
 public:
  explicit Checks(at::Device device) : device_(device) {}

  void add_mix(const Case& batch, at::ScalarType type) {
    const at::ScalarType sums = type == at::kDouble ? at::kDouble : at::kFloat;
    const auto count = static_cast<std::int64_t>(batch.shifts.size());
    // Rounded first, so that both sides have the same numbers.
    const std::vector<at::Tensor> given = {random({batch.rows(), batch.dim}, 1).to(type),
                                           random({batch.rows(), batch.dim}, 2).to(sums),
                                           random({count, batch.dim}, 3).to(sums),
                                           random({batch.dim}, 4).sigmoid().to(sums)};
    const NeighbourMasks masks(batch.offsets, batch.shifts, at::kCPU);
    const Results wanted = results_of(exact(given), [&](const std::vector<at::Tensor>& leaves) {
      // The reference's step shares (1 - alpha) with its weights.
      return diffusion_step(leaves[1].mul(leaves[3]), leaves[0], leaves[2], 0.5, batch.shifts,
                            masks)
          .mul(2);
    });
    const Results found = results_of(moved(given), [&](const std::vector<at::Tensor>& leaves) {
      return neighbour_mix(leaves[0], leaves[1], leaves[2], leaves[3], texts_of(batch),
                           batch.shifts);
    });
    add("neighbour_mix", {"values", "base", "weight", "keep"}, batch, type, found, wanted);
  }

  void add_pool(const Case& batch, at::ScalarType type, Pooling pooling) {
    // Whole numbers, so that several rows have the maximum.
    const std::vector<at::Tensor> given = {at::randint(-9, 10, {batch.rows(), batch.dim},
                                                       at::detail::createCPUGenerator(5),
                                                       at::TensorOptions(at::kDouble))
                                               .to(type)};
    const Segments segments(batch.offsets, at::TensorOptions(at::kDouble));
    const Results wanted = results_of(exact(given), [&](const std::vector<at::Tensor>& leaves) {
      return segment_pool(leaves[0], segments, pooling);
    });
    const Results found = results_of(moved(given), [&](const std::vector<at::Tensor>& leaves) {
      return pool_texts(leaves[0], texts_of(batch), pooling);
    });
    add(fmt::format("pool_texts {}", enum_name(pooling)), {"rows"}, batch, type, found, wanted);
  }

  std::vector<OperationCheck> take() { return std::move(checks_); }

 private:
  TextRows texts_of(const Case& batch) const {
    return TextRows(at::tensor(batch.offsets, at::kInt).to(device_), batch.rows());
  }
  std::vector<at::Tensor> moved(std::vector<at::Tensor> given) const {
    for (at::Tensor& one : given) one = one.to(device_);
    return given;
  }
  static std::vector<at::Tensor> exact(std::vector<at::Tensor> given) {
    for (at::Tensor& one : given) one = one.to(at::kDouble);
    return given;
  }

  void add(const std::string& operation, const std::vector<const char*>& leaves, const Case& batch,
           at::ScalarType type, const Results& found, const Results& wanted) {
    const auto check = [&](const std::string& what, const at::Tensor& one,
                           const at::Tensor& other) {
      OperationCheck own = check_of(what, one.to(at::kCPU), other,
                                    allowed_in(one.scalar_type() == type ? type : at::kFloat));
      own.type = c10::toString(type);
      own.batch = batch.text();
      checks_.push_back(std::move(own));
    };
    check(operation, found.value, wanted.value);
    for (std::size_t i = 0; i < leaves.size(); ++i)
      check(fmt::format("{}, gradient of {}", operation, leaves[i]), found.gradients[i],
            wanted.gradients[i]);
  }

  at::Device device_;
  std::vector<OperationCheck> checks_;
};

}  // namespace

OperationCheck check_of(std::string operation, const at::Tensor& found, const at::Tensor& wanted,
                        double allowed) {
  const at::Tensor exact = wanted.detach().to(at::kDouble);
  const double scale = std::max(exact.abs().max().item<double>(), 1e-30);
  return {.operation = std::move(operation),
          .error = found.detach().to(at::kDouble).sub(exact).abs().max().item<double>() / scale,
          .allowed = allowed};
}

std::vector<OperationCheck> check_operations(at::Device device) {
  Checks checks(device);
  for (const Case& batch : cases()) {
    for (const at::ScalarType type : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16})
      checks.add_mix(batch, type);
    for (const at::ScalarType type : {at::kDouble, at::kFloat})
      for (const Pooling pooling : {Pooling::mean, Pooling::max, Pooling::mean_max})
        checks.add_pool(batch, type, pooling);
  }
  return checks.take();
}

}  // namespace diffuse
