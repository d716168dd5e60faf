#include "checks.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <fmt/core.h>

#include <algorithm>

namespace diffuse {
namespace {

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

CheckedResults results_of(const std::vector<at::Tensor>& given, at::ScalarType type,
                          const Checks::Compute& compute) {
  const at::AutoGradMode with_gradient(true);
  std::vector<at::Tensor> leaves;
  for (const at::Tensor& one : given) leaves.push_back(one.detach().set_requires_grad(true));
  const at::Tensor value = compute(leaves);
  // Rounded first, as what is given is.
  value.backward(
      random_numbers(value.sizes(), 99).to(type).to(value.options().requires_grad(false)));
  CheckedResults results{value.detach(), {}};
  for (const at::Tensor& leaf : leaves) results.gradients.push_back(leaf.grad());
  return results;
}

}  // namespace

TextRows CheckedBatch::texts(at::Device device) const {
  return TextRows(at::tensor(offsets, at::kInt).to(device), rows());
}

at::Tensor random_numbers(at::IntArrayRef shape, std::uint64_t seed) {
  return at::randn(shape, at::detail::createCPUGenerator(seed), at::TensorOptions(at::kDouble));
}

OperationCheck check_of(std::string operation, const at::Tensor& found, const at::Tensor& wanted,
                        double allowed) {
  const at::Tensor exact = wanted.detach().to(at::kDouble);
  const double scale = std::max(exact.abs().max().item<double>(), 1e-30);
  return {.operation = std::move(operation),
          .error = found.detach().to(at::kDouble).sub(exact).abs().max().item<double>() / scale,
          .allowed = allowed};
}

void Checks::compare(const std::string& operation, const std::vector<const char*>& leaves,
                     const CheckedBatch& batch, at::ScalarType type,
                     const std::vector<at::Tensor>& given, const Compute& own,
                     const Compute& exact) {
  std::vector<at::Tensor> here = given;
  std::vector<at::Tensor> there = given;
  for (at::Tensor& one : here) one = one.to(at::kDouble);
  for (at::Tensor& one : there) one = one.to(device_);
  const CheckedResults wanted = results_of(here, type, exact);
  const CheckedResults found = results_of(there, type, own);
  add(operation, found.value, wanted.value, batch, type);
  for (std::size_t i = 0; i < leaves.size(); ++i)
    add(fmt::format("{}, gradient of {}", operation, leaves[i]), found.gradients[i],
        wanted.gradients[i], batch, type);
}

void Checks::add(const std::string& what, const at::Tensor& found, const at::Tensor& wanted,
                 const CheckedBatch& batch, at::ScalarType type) {
  OperationCheck check = check_of(what, found.to(at::kCPU), wanted,
                                  allowed_in(found.scalar_type() == type ? type : at::kFloat));
  check.type = c10::toString(type);
  check.batch =
      fmt::format("{} texts, {} rows of {}", batch.offsets.size() - 1, batch.rows(), batch.dim);
  checks_.push_back(std::move(check));
}

}  // namespace diffuse
