#pragma once

#include <cmath>
#include <cstdint>

namespace diffuse {

/// Random numbers that depend on nothing but where they are used: seed, update, batch, row and
/// channel. So threads may draw them in any order, backward may draw them again, and every kernel
/// gets the same ones.

/// What a random number is for.
enum class RandomStream : std::uint32_t {
  token_dropout,
  embedding_dropout,
  noise,
  head_input_dropout,
  head_hidden_dropout,
  bigram_dropout
};

/// The part of the place that a whole batch shares.
struct RandomPlace {
  std::uint64_t seed = 0;
  std::uint32_t update = 0;
  std::uint32_t batch = 0;  ///< which of an update's batches
};

inline constexpr std::uint32_t kPhiloxMultiplier0 = 0xD2511F53U;
inline constexpr std::uint32_t kPhiloxMultiplier1 = 0xCD9E8D57U;
inline constexpr std::uint32_t kPhiloxKeyStep0 = 0x9E3779B9U;
inline constexpr std::uint32_t kPhiloxKeyStep1 = 0xBB67AE85U;
inline constexpr int kPhiloxRounds = 10;

struct PhiloxBlock {
  std::uint32_t words[4];
};

/// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3, SC
/// 2011).
PhiloxBlock philox(PhiloxBlock counter, std::uint64_t seed);

/// The counter's third word; the first is the row, the second the block of channels, the fourth the
/// update.
constexpr std::uint32_t counter_word(const RandomPlace& place, RandomStream stream) {
  return place.batch << 8 | static_cast<std::uint32_t>(stream);
}

/// 16 random bits of one channel of one row.
std::uint16_t random_half(const RandomPlace& place, RandomStream stream, std::int64_t row,
                          std::int64_t channel);

/// One number from N(0, 1), by Box and Muller.
float random_normal(const RandomPlace& place, std::int64_t row, std::int64_t channel);

/// What random_half must be below to keep an element that is dropped with `probability`: that is
/// rounded to a multiple of 2^-16.
constexpr std::uint32_t keep_threshold(double probability) {
  return static_cast<std::uint32_t>((1.0 - probability) * 65536.0 + 0.5);
}

/// The probability with which a span of `length` rows has to begin at each row, so that a row lies
/// in one of them with `probability`.
inline double span_start_probability(double probability, std::int64_t length) {
  if (length <= 1) return probability;
  return 1 - std::pow(1 - probability, 1.0 / static_cast<double>(length));
}

}  // namespace diffuse
