#pragma once

#include <cstdint>
#include <vector>

namespace diffuse {

/// A square grey image, [side, side].
struct GreyImage {
  explicit GreyImage(int pixels_of_side)
      : side(pixels_of_side),
        pixels(static_cast<std::size_t>(pixels_of_side) * static_cast<std::size_t>(side)) {}

  std::uint8_t& at(int y, int x) { return pixels[index(y, x)]; }
  std::uint8_t at(int y, int x) const { return pixels[index(y, x)]; }
  bool holds(int y, int x) const { return y >= 0 && x >= 0 && y < side && x < side; }
  std::size_t index(int y, int x) const {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(side) +
           static_cast<std::size_t>(x);
  }

  int side;
  std::vector<std::uint8_t> pixels;
};

/// `image` with fewer pixels: Lanczos' kernel of three lobes (C. E. Duchon, "Lanczos filtering in
/// one and two dimensions", J. Appl. Meteorology 18, 1979), stretched by the ratio of the sides,
/// cut at the border and normalised there; rows first, then columns, each rounded to bytes. The
/// weights are fixed-point numbers of 22 bits, so that the bytes are those of Pillow, which the
/// original generator uses, and the same on every machine.
GreyImage shrink(const GreyImage& image, int side);

}  // namespace diffuse
