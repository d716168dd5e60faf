#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "diffuse/tasks/pathfinder.hpp"
#include "tasks/paddles.hpp"

namespace diffuse {

inline bool inside(Pixel at) {
  return at.y >= 0 && at.x >= 0 && at.y < kPathfinderSide && at.x < kPathfinderSide;
}
inline std::size_t place(Pixel at) {
  return static_cast<std::size_t>(at.y) * kPathfinderSide + static_cast<std::size_t>(at.x);
}
inline Pixel operator+(Pixel a, Pixel b) { return {a.y + b.y, a.x + b.x}; }

/// The picture as it grows, and where there may be no further dash.
struct Canvas {
  std::array<std::uint16_t, kPathfinderPixels> light{};  ///< in halves, that is 510 for 1
  std::array<std::uint8_t, kPathfinderPixels> mask{};
};

/// Dark, with a border of a pixel that is masked.
Canvas empty_canvas();

/// Calls `pixel(place in the picture, place in the patch)` where both are.
template <class Each>
void each_pixel(Pixel centre, const Each& pixel) {
  std::size_t from = 0;
  for (int y = -kPaddleReach; y <= kPaddleReach; ++y)
    for (int x = -kPaddleReach; x <= kPaddleReach; ++x, ++from)
      if (const Pixel at = centre + Pixel{y, x}; inside(at)) pixel(place(at), from);
}

/// One bit a pixel, a row a word.
using PixelSet = std::array<std::uint32_t, kPathfinderSide>;

/// Pixels less than `band` from the border.
PixelSet border_pixels(int band);
/// Pixels whose mask is above 0.3.
PixelSet masked_pixels(const Canvas& canvas);
/// Pixels from which none of those at the offsets `keep` is in `blocked`. What lies outside of the
/// picture blocks nothing.
PixelSet free_pixels(const PixelSet& blocked, std::span<const Pixel> keep);
std::uint64_t count_of(const PixelSet& pixels);
/// In the order of rows, from 0; `number` is below count_of(pixels).
Pixel nth_of(const PixelSet& pixels, std::uint64_t number);

}  // namespace diffuse
