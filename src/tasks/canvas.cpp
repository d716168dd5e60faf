#include "tasks/canvas.hpp"

#include <algorithm>
#include <bit>

namespace diffuse {
namespace {

/// Of a mask's bytes: 0.3 of 255.
constexpr int kMostOfFree = 76;

}  // namespace

Canvas empty_canvas() {
  Canvas canvas;
  for (int i = 0; i < kPathfinderSide; ++i)
    for (const Pixel& at :
         {Pixel{0, i}, {kPathfinderSide - 1, i}, {i, 0}, {i, kPathfinderSide - 1}})
      canvas.mask[place(at)] = 255;
  return canvas;
}

PixelSet border_pixels(int band) {
  const std::uint32_t ends = band == 0 ? 0 : ~(~0U >> band << 2 * band >> band);
  PixelSet border{};
  for (std::size_t y = 0; y < border.size(); ++y) {
    const auto to_end = std::min<std::size_t>(y, border.size() - 1 - y);
    border[y] = to_end < static_cast<std::size_t>(band) ? ~0U : ends;
  }
  return border;
}

PixelSet masked_pixels(const Canvas& canvas) {
  PixelSet masked{};
  for (std::size_t i = 0; i < canvas.mask.size(); ++i)
    masked[i / kPathfinderSide] |= (canvas.mask[i] > kMostOfFree ? 1U : 0U) << i % kPathfinderSide;
  return masked;
}

PixelSet free_pixels(const PixelSet& blocked, std::span<const Pixel> keep) {
  PixelSet taken{};
  for (const Pixel& offset : keep)
    for (int y = 0; y < kPathfinderSide; ++y) {
      const int from = y + offset.y;
      if (from < 0 || from >= kPathfinderSide) continue;
      const std::uint32_t row = blocked[static_cast<std::size_t>(from)];
      taken[static_cast<std::size_t>(y)] |= offset.x >= 0 ? row >> offset.x : row << -offset.x;
    }
  for (std::uint32_t& row : taken) row = ~row;
  return taken;
}

std::uint64_t count_of(const PixelSet& pixels) {
  std::uint64_t count = 0;
  for (const std::uint32_t row : pixels) count += static_cast<std::uint64_t>(std::popcount(row));
  return count;
}

Pixel nth_of(const PixelSet& pixels, std::uint64_t number) {
  for (int y = 0;; ++y) {
    std::uint32_t row = pixels[static_cast<std::size_t>(y)];
    const auto here = static_cast<std::uint64_t>(std::popcount(row));
    if (number >= here) {
      number -= here;
      continue;
    }
    for (; number > 0; --number) row &= row - 1;
    return {y, std::countr_zero(row)};
  }
}

}  // namespace diffuse
