#include "diffuse/ops/counter_random.hpp"

#include <cmath>
#include <numbers>

namespace diffuse {
namespace {

PhiloxBlock block_at(const RandomPlace& place, RandomStream stream, std::int64_t row,
                     std::int64_t block) {
  return philox({{static_cast<std::uint32_t>(row), static_cast<std::uint32_t>(block),
                  counter_word(place, stream), place.update}},
                place.seed);
}

}  // namespace

PhiloxBlock philox(PhiloxBlock counter, std::uint64_t seed) {
  auto key0 = static_cast<std::uint32_t>(seed);
  auto key1 = static_cast<std::uint32_t>(seed >> 32);
  auto& [c0, c1, c2, c3] = counter.words;
  for (int round = 0; round < kPhiloxRounds; ++round) {
    const std::uint64_t a = std::uint64_t{kPhiloxMultiplier0} * c0;
    const std::uint64_t b = std::uint64_t{kPhiloxMultiplier1} * c2;
    c0 = static_cast<std::uint32_t>(b >> 32) ^ c1 ^ key0;
    c1 = static_cast<std::uint32_t>(b);
    c2 = static_cast<std::uint32_t>(a >> 32) ^ c3 ^ key1;
    c3 = static_cast<std::uint32_t>(a);
    key0 += kPhiloxKeyStep0;
    key1 += kPhiloxKeyStep1;
  }
  return counter;
}

std::uint16_t random_half(const RandomPlace& place, RandomStream stream, std::int64_t row,
                          std::int64_t channel) {
  const std::uint32_t word = block_at(place, stream, row, channel / 8).words[channel % 8 / 2];
  return static_cast<std::uint16_t>(channel % 2 == 0 ? word : word >> 16);
}

float random_normal(const RandomPlace& place, std::int64_t row, std::int64_t channel) {
  const PhiloxBlock block = block_at(place, RandomStream::noise, row, channel / 4);
  const std::int64_t pair = channel % 4 / 2;
  const float first = (static_cast<float>(block.words[2 * pair] >> 8) + 0.5F) * 0x1p-24F;
  const float angle = static_cast<float>(block.words[2 * pair + 1] >> 8) * 0x1p-24F *
                      (2 * std::numbers::pi_v<float>);
  const float radius = std::sqrt(-2 * std::log(first));
  return radius * (channel % 2 == 0 ? std::cos(angle) : std::sin(angle));
}

std::uint32_t keep_threshold(double probability) {
  return static_cast<std::uint32_t>(std::lround((1.0 - probability) * 65536.0));
}

}  // namespace diffuse
