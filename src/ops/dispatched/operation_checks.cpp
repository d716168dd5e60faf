#include "diffuse/ops/dispatched/operation_checks.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/randint.h>
#include <fmt/core.h>

#include <exception>
#include <map>
#include <string_view>

#include "checks.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/ops/reference/diffusion_step.hpp"
#include "diffuse/ops/reference/neighbour_sum.hpp"
#include "diffuse/ops/reference/segment_pool.hpp"

namespace diffuse {
namespace {

using Leaves = std::vector<at::Tensor>;

/// Texts of one row, and shorter than the neighbourhood; widths that fill no block.
CheckedBatch small_batch() { return {{0, 3, 4, 9, 10, 12, 45, 176}, 70, {-5, -1, 0, 2}}; }

/// And texts of many chunks.
std::vector<CheckedBatch> other_batches() {
  return {{{0, 1}, 1, {0}},
          {{0, 2, 7000, 7001, 9001}, 33, {-9, -8, -7, -3, -2, -1, 0, 1, 2, 40}},
          {{0, 1, 65537}, 3, {-60000, 1}}};
}

void check_mix(const CheckedBatch& batch, at::ScalarType type, Checks& checks) {
  const at::ScalarType sums = type == at::kDouble ? at::kDouble : at::kFloat;
  const auto count = static_cast<std::int64_t>(batch.shifts.size());
  // Rounded first, so that both sides have the same numbers.
  const Leaves given = {random_numbers({batch.rows(), batch.dim}, 1).to(type),
                        random_numbers({batch.rows(), batch.dim}, 2).to(sums),
                        random_numbers({count, batch.dim}, 3).to(sums),
                        random_numbers({batch.dim}, 4).sigmoid().to(sums)};
  const NeighbourMasks masks(batch.offsets, batch.shifts, at::kCPU);
  checks.compare(
      "neighbour_mix", {"values", "base", "weight", "keep"}, batch, type, given,
      [&](const Leaves& leaves) {
        return neighbour_mix(leaves[0], leaves[1], leaves[2], leaves[3],
                             batch.texts(checks.device()), batch.shifts);
      },
      [&](const Leaves& leaves) {
        // The reference's step shares (1 - alpha) with its weights.
        return diffusion_step(leaves[1].mul(leaves[3]), leaves[0], leaves[2], 0.5, batch.shifts,
                              masks)
            .mul(2);
      });
}

/// With a weight for each neighbour alone.
void check_blend(const CheckedBatch& batch, at::ScalarType type, Checks& checks) {
  const at::ScalarType sums = type == at::kDouble ? at::kDouble : at::kFloat;
  constexpr double kAlpha = 0.3;
  const Leaves given = {random_numbers({batch.rows(), batch.dim}, 1).to(type),
                        random_numbers({batch.rows(), batch.dim}, 2).to(sums),
                        random_numbers({std::ssize(batch.shifts)}, 3).to(sums)};
  const NeighbourMasks masks(batch.offsets, batch.shifts, at::kCPU);
  checks.compare(
      "neighbour_blend", {"values", "base", "weight"}, batch, type, given,
      [&](const Leaves& leaves) {
        return neighbour_blend(leaves[0], leaves[1], leaves[2], kAlpha,
                               batch.texts(checks.device()), batch.shifts);
      },
      [&](const Leaves& leaves) {
        return diffusion_step(leaves[1], leaves[0], leaves[2], kAlpha, batch.shifts, masks);
      });
}

void check_neighbour_rows(const CheckedBatch& batch, at::ScalarType type, Checks& checks) {
  const std::int64_t shift = batch.shifts.front();
  const NeighbourMasks masks(batch.offsets, batch.shifts, at::kCPU);
  checks.compare(
      "neighbour_rows", {"values"}, batch, type,
      {random_numbers({batch.rows(), batch.dim}, 6).to(type)},
      [&](const Leaves& leaves) {
        return neighbour_rows(leaves[0], batch.texts(checks.device()), shift);
      },
      [&](const Leaves& leaves) { return shift_rows(leaves[0], shift, masks); });
}

void check_pool(const CheckedBatch& batch, at::ScalarType type, Pooling pooling, Checks& checks) {
  // Whole numbers, so that several rows have the maximum.
  const at::Tensor rows =
      at::randint(-9, 10, {batch.rows(), batch.dim}, at::detail::createCPUGenerator(5),
                  at::TensorOptions(at::kDouble));
  const Segments segments(batch.offsets, at::TensorOptions(at::kDouble));
  checks.compare(
      fmt::format("pool_texts {}", enum_name(pooling)), {"rows"}, batch, type, {rows.to(type)},
      [&](const Leaves& leaves) {
        return pool_texts(leaves[0], batch.texts(checks.device()), pooling);
      },
      [&](const Leaves& leaves) { return segment_pool(leaves[0], segments, pooling); });
}

void check_batch(const CheckedBatch& batch, Checks& checks) {
  for (const at::ScalarType type : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16}) {
    check_mix(batch, type, checks);
    check_blend(batch, type, checks);
    check_neighbour_rows(batch, type, checks);
    check_row_norm(batch, type, checks);
    check_activations(batch, type, checks);
  }
  for (const at::ScalarType type : {at::kDouble, at::kFloat}) {
    for (const Pooling pooling : {Pooling::mean, Pooling::max, Pooling::mean_max})
      check_pool(batch, type, pooling, checks);
    check_initial_state(batch, type, checks);
    check_text_loss(batch, type, checks);
  }
  check_row_adamw(batch, checks);
}

std::string find_problem(at::Device device) {
  try {
    for (const OperationCheck& check : check_operations(device, CheckExtent::quick))
      if (!check.good())
        return fmt::format("{} in {} is wrong by {:.1e} of its largest element, {:.0e} allowed",
                           check.operation, check.type, check.error, check.allowed);
  } catch (const std::exception& error) {
    const std::string_view text = error.what();
    return std::string(text.substr(0, text.find('\n')));
  }
  return "";
}

}  // namespace

std::vector<OperationCheck> check_operations(at::Device device, CheckExtent extent) {
  Checks checks(device);
  check_batch(small_batch(), checks);
  if (extent == CheckExtent::full)
    for (const CheckedBatch& batch : other_batches()) check_batch(batch, checks);
  return checks.take();
}

const std::string& operations_problem(at::Device device) {
  static std::map<std::string, std::string> found;
  const auto [at, is_new] = found.try_emplace(device.str());
  if (is_new) at->second = find_problem(device);
  return at->second;
}

}  // namespace diffuse
