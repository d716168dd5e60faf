#pragma once

#include <cstdint>

namespace diffuse {

/// What the last updates of AdamW were made with, for rows of a table that have not made them yet
/// (ops/dispatched/row_adamw.hpp). Plain memory, which a device gets as it is.
struct AdamWClock {
  /// So many updates; a row may miss no more.
  static constexpr std::int32_t kRemembered = 16;

  std::int32_t update = 0;  ///< the last one noted, 1-based
  std::int32_t unused = 0;  ///< for whole words of eight bytes
  /// Each update's in the place of its number modulo kRemembered.
  float learning_rate[kRemembered] = {};
  float inverse_correction1[kRemembered] = {};       ///< 1 / (1 - beta1^update)
  float inverse_root_correction2[kRemembered] = {};  ///< 1 / sqrt(1 - beta2^update)

  /// Notes the next update.
  void note(double rate, double beta1, double beta2);
};

}  // namespace diffuse
