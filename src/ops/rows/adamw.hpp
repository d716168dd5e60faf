#pragma once

#include <cmath>
#include <cstdint>

#include "diffuse/ops/adamw_clock.hpp"
#include "ops/rows/host_device.hpp"

namespace diffuse::rows {

/// A table that AdamW (Loshchilov and Hutter, ICLR 2019, algorithm 2) updates row by row.
struct AdamWTable {
  std::int64_t dim = 0;               ///< D
  float* values = nullptr;            ///< [V, D]
  float* moment1 = nullptr;           ///< [V, D]
  float* moment2 = nullptr;           ///< [V, D]
  std::int32_t* last = nullptr;       ///< [V], the last update that each row has made
  const AdamWClock* clock = nullptr;  ///< where the table is
  float beta1 = 0;
  float beta2 = 0;
  float rest1 = 0;  ///< 1 - beta1
  float rest2 = 0;  ///< 1 - beta2
  float epsilon = 0;
  float weight_decay = 0;
  float lr_factor = 1;
};

/// What an update works on: one channel of a row.
struct AdamWElement {
  float value;
  float moment1;
  float moment2;
};

/// Rounded once on a device and twice on the CPU, but in the same way wherever a compiler puts it:
/// an update that is made later must give the same bits.
DIFFUSE_HOST_DEVICE inline float times_plus(float a, float b, float c) {
#ifdef __CUDA_ARCH__
  return fmaf(a, b, c);
#else
  return a * b + c;
#endif
}

DIFFUSE_HOST_DEVICE inline AdamWElement load_element(const AdamWTable& table, std::int64_t at) {
  return {table.values[at], table.moment1[at], table.moment2[at]};
}

DIFFUSE_HOST_DEVICE inline void store_element(const AdamWElement& element, const AdamWTable& table,
                                              std::int64_t at) {
  table.values[at] = element.value;
  table.moment1[at] = element.moment1;
  table.moment2[at] = element.moment2;
}

/// The element after the update number `update`.
DIFFUSE_HOST_DEVICE inline AdamWElement updated(const AdamWTable& table, std::int32_t update,
                                                float gradient, const AdamWElement& before) {
  const std::int32_t at = update % AdamWClock::kRemembered;
  const float rate = table.clock->learning_rate[at] * table.lr_factor;
  const float moment1 = times_plus(table.beta1, before.moment1, table.rest1 * gradient);
  const float moment2 = times_plus(table.beta2, before.moment2, table.rest2 * gradient * gradient);
  const float root =
      times_plus(std::sqrt(moment2), table.clock->inverse_root_correction2[at], table.epsilon);
  const float step = rate * table.clock->inverse_correction1[at] * moment1 / root;
  return {times_plus(times_plus(-rate, table.weight_decay, 1.0F), before.value, -step), moment1,
          moment2};
}

/// One channel of row `id` after the updates last + 1 … through, in which its gradient was zero.
DIFFUSE_HOST_DEVICE inline void follow_element(const AdamWTable& table, std::int64_t id,
                                               std::int64_t channel, std::int32_t last,
                                               std::int32_t through) {
  const std::int64_t at = id * table.dim + channel;
  AdamWElement element = load_element(table, at);
  const bool stands = element.moment1 == 0 && element.moment2 == 0 && table.weight_decay == 0;
  if (stands) return;  // as those that no batch has read yet
  for (std::int32_t update = last + 1; update <= through; ++update)
    element = updated(table, update, 0.0F, element);
  store_element(element, table, at);
}

/// The clock's update of one channel of row `id`, which has made those before.
DIFFUSE_HOST_DEVICE inline void update_element(const AdamWTable& table, std::int64_t id,
                                               std::int64_t channel, float gradient) {
  const std::int64_t at = id * table.dim + channel;
  store_element(updated(table, table.clock->update, gradient, load_element(table, at)), table, at);
}

/// The row whose run begins at `place` of the ascending `ids` [N]; -1: none does. `ids` null: the
/// row of that number.
DIFFUSE_HOST_DEVICE inline std::int64_t row_at(const std::int32_t* ids, std::int64_t place) {
  if (ids == nullptr) return place;
  return place > 0 && ids[place - 1] == ids[place] ? -1 : ids[place];
}

}  // namespace diffuse::rows
