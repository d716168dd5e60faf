#include "diffuse/base/random.hpp"

#include <utility>

#include "diffuse/base/error.hpp"

namespace diffuse {

// Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014; the constants
// are those of java.util.SplittableRandom.
std::uint64_t Random::next() {
  state_ += 0x9E3779B97F4A7C15ull;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

std::uint64_t Random::below(std::uint64_t bound) {
  if (bound == 0) throw Error("Random::below: the bound must be above 0.");
  // 2^64 mod bound: numbers below it would make the low remainders likelier.
  const std::uint64_t surplus = (0 - bound) % bound;
  std::uint64_t number = next();
  while (number < surplus) number = next();
  return number % bound;
}

std::uint64_t mix_seed(std::uint64_t seed, std::uint64_t stream) {
  return Random(Random(seed).next() ^ stream).next();
}

void shuffle(std::span<std::uint32_t> items, Random& random) {
  for (std::size_t i = items.size(); i > 1; --i) {
    std::swap(items[i - 1], items[random.below(i)]);
  }
}

}  // namespace diffuse
