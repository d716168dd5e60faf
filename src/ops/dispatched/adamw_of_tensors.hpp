#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "ops/rows/adamw.hpp"

namespace diffuse {

/// The rule of a RowAdamWRule as an operation has it.
using AdamWNumbers = at::ArrayRef<double>;

/// The pointers of the operations `diffuse::follow_rows` and `diffuse::update_rows`.
inline rows::AdamWTable adamw_table(const at::Tensor& values, const at::Tensor& moment1,
                                    const at::Tensor& moment2, const at::Tensor& last,
                                    const at::Tensor& clock, AdamWNumbers rule) {
  const auto number = [&](std::size_t i) { return static_cast<float>(rule[i]); };
  return {.dim = values.size(1),
          .values = values.mutable_data_ptr<float>(),
          .moment1 = moment1.mutable_data_ptr<float>(),
          .moment2 = moment2.mutable_data_ptr<float>(),
          .last = last.mutable_data_ptr<std::int32_t>(),
          .clock = reinterpret_cast<const AdamWClock*>(clock.const_data_ptr<std::int32_t>()),
          .beta1 = number(0),
          .beta2 = number(1),
          .rest1 = static_cast<float>(1.0 - rule[0]),
          .rest2 = static_cast<float>(1.0 - rule[1]),
          .epsilon = number(2),
          .weight_decay = number(3),
          .lr_factor = number(4)};
}

/// What of `ids` the operations read; null: every row of the table.
inline const std::int32_t* ids_of(const std::optional<at::Tensor>& ids) {
  return ids ? ids->const_data_ptr<std::int32_t>() : nullptr;
}

}  // namespace diffuse
