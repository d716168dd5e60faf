#include "diffuse/ops/counter_random.hpp"

#include "ops/rows/random.hpp"

namespace diffuse {

PhiloxBlock philox(PhiloxBlock counter, std::uint64_t seed) {
  return rows::philox_block(counter, seed);
}

std::uint16_t random_half(const RandomPlace& place, RandomStream stream, std::int64_t row,
                          std::int64_t channel) {
  return static_cast<std::uint16_t>(rows::half_at(place, stream, row, channel));
}

float random_normal(const RandomPlace& place, std::int64_t row, std::int64_t channel) {
  return rows::normal_at(place, row, channel);
}

}  // namespace diffuse
