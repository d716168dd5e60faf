#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

#include "diffuse/ops/counter_random.hpp"
#include "ops/rows/host_device.hpp"

namespace diffuse::rows {

/// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3, SC
/// 2011).
DIFFUSE_HOST_DEVICE inline PhiloxBlock philox_block(PhiloxBlock counter, std::uint64_t seed) {
  auto key0 = static_cast<std::uint32_t>(seed);
  auto key1 = static_cast<std::uint32_t>(seed >> 32);
  std::uint32_t c0 = counter.words[0];
  std::uint32_t c1 = counter.words[1];
  std::uint32_t c2 = counter.words[2];
  std::uint32_t c3 = counter.words[3];
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
  return {{c0, c1, c2, c3}};
}

DIFFUSE_HOST_DEVICE inline PhiloxBlock block_at(const RandomPlace& place, RandomStream stream,
                                                std::int64_t row, std::int64_t block) {
  return philox_block({{static_cast<std::uint32_t>(row), static_cast<std::uint32_t>(block),
                        counter_word(place, stream), place.update}},
                      place.seed);
}

/// Number `index` (0 … 7) of the halves of a block. The words are chosen by conditions: an index
/// that is not known would put them into a GPU's memory.
DIFFUSE_HOST_DEVICE inline std::uint32_t half_of(const PhiloxBlock& block, std::int64_t index) {
  const std::uint32_t low = index % 4 < 2 ? block.words[0] : block.words[1];
  const std::uint32_t high = index % 4 < 2 ? block.words[2] : block.words[3];
  const std::uint32_t word = index < 4 ? low : high;
  return index % 2 == 0 ? word & 0xFFFFU : word >> 16;
}

/// 16 random bits of one channel of one row.
DIFFUSE_HOST_DEVICE inline std::uint32_t half_at(const RandomPlace& place, RandomStream stream,
                                                 std::int64_t row, std::int64_t channel) {
  return half_of(block_at(place, stream, row, channel / 8), channel % 8);
}

/// Number `index` (0 … 3) of a block's numbers from N(0, 1), by Box and Muller.
DIFFUSE_HOST_DEVICE inline float normal_of(const PhiloxBlock& block, std::int64_t index) {
  const std::uint32_t one = index >= 2 ? block.words[2] : block.words[0];
  const std::uint32_t other = index >= 2 ? block.words[3] : block.words[1];
  const float first = (static_cast<float>(one >> 8) + 0.5F) * 0x1p-24F;
  const float turn = static_cast<float>(other >> 8) * 0x1p-24F;
#ifdef __CUDA_ARCH__
  // Of a whole angle the GPU's cosine keeps an array in memory.
  const float side = index % 2 == 0 ? cospif(2 * turn) : sinpif(2 * turn);
  return sqrtf(-2 * logf(first)) * side;
#else
  const float angle = turn * (2 * std::numbers::pi_v<float>);
  return std::sqrt(-2 * std::log(first)) * (index % 2 == 0 ? std::cos(angle) : std::sin(angle));
#endif
}

DIFFUSE_HOST_DEVICE inline float normal_at(const RandomPlace& place, std::int64_t row,
                                           std::int64_t channel) {
  return normal_of(block_at(place, RandomStream::noise, row, channel / 4), channel % 4);
}

/// A RandomPlace as a device's memory has it: what changes from update to update is read there, so
/// that a recorded sequence of kernels can run again.
struct PlaceWords {
  const std::int64_t* words = nullptr;  ///< [2]: the seed; update, and batch above it

  DIFFUSE_HOST_DEVICE RandomPlace place() const {
    const auto rest = static_cast<std::uint64_t>(words[1]);
    return {static_cast<std::uint64_t>(words[0]), static_cast<std::uint32_t>(rest),
            static_cast<std::uint32_t>(rest >> 32)};
  }
};

/// A threshold of no dropout.
inline constexpr std::uint32_t kKeepsAll = 0x10000;

/// Whether an element stays that is dropped with a probability of 1 - threshold / 2^16
/// (keep_threshold).
DIFFUSE_HOST_DEVICE inline bool is_kept(const RandomPlace& place, RandomStream stream,
                                        std::int64_t row, std::int64_t channel,
                                        std::uint32_t threshold) {
  return half_at(place, stream, row, channel) < threshold;
}

}  // namespace diffuse::rows
