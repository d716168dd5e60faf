#pragma once

#include <cstdint>
#include <span>

namespace diffuse {

/// SplitMix64: small, seedable, the same numbers on every machine and standard library.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  /// Uniform in [0, bound), without bias. bound > 0.
  std::uint64_t below(std::uint64_t bound);

 private:
  std::uint64_t state_;
};

/// A seed for a stream of its own (an epoch, a purpose), mixed from two numbers.
std::uint64_t mix_seed(std::uint64_t seed, std::uint64_t stream);

/// Fisher–Yates.
void shuffle(std::span<std::uint32_t> items, Random& random);

}  // namespace diffuse
