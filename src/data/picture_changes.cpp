#include "diffuse/data/picture_changes.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "diffuse/base/error.hpp"
#include "diffuse/base/random.hpp"

namespace diffuse {
namespace {

constexpr std::int64_t kSide = PictureChanges::kSide;

/// Uniform in [-most, most].
std::int64_t draw_shift(Random& random, std::int64_t most) {
  return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(2 * most + 1))) - most;
}

void change_picture(std::span<std::int32_t> picture, const PictureChanges& changes, Random random) {
  const bool flip = changes.flip && random.below(2) == 1;
  const std::int64_t down = changes.shift > 0 ? draw_shift(random, changes.shift) : 0;
  const std::int64_t right = changes.shift > 0 ? draw_shift(random, changes.shift) : 0;
  std::array<std::int32_t, kSide * kSide> before{};
  std::ranges::copy(picture, before.begin());
  for (std::int64_t y = 0; y < kSide; ++y) {
    const std::int64_t from_y = std::clamp<std::int64_t>(y - down, 0, kSide - 1);
    for (std::int64_t x = 0; x < kSide; ++x) {
      const std::int64_t moved = std::clamp<std::int64_t>(x - right, 0, kSide - 1);
      const std::int64_t from_x = flip ? kSide - 1 - moved : moved;
      picture[static_cast<std::size_t>(y * kSide + x)] =
          before[static_cast<std::size_t>(from_y * kSide + from_x)];
    }
  }
}

}  // namespace

PictureChanges picture_changes(const TrainConfig& config) {
  return {.flip = config.picture_flip, .shift = config.picture_shift};
}

void change_pictures(PackedRows& pictures, const PictureChanges& changes,
                     std::span<const std::uint64_t> seeds) {
  const std::span<const std::int32_t> offsets = pictures.offsets();
  for (std::size_t b = 0; b < seeds.size(); ++b) {
    const std::int64_t length = offsets[b + 1] - offsets[b];
    if (length != kSide * kSide)
      throw ConfigError(fmt::format(
          "train.picture_flip and train.picture_shift change pictures of {} x {} pixels, but a row "
          "has {} tokens; expected data.format = pixels and tokenizer.max_tokens = {}",
          kSide, kSide, length, kSide * kSide));
    change_picture(pictures.tokens().subspan(static_cast<std::size_t>(offsets[b]),
                                             static_cast<std::size_t>(length)),
                   changes, Random(seeds[b]));
  }
}

}  // namespace diffuse
