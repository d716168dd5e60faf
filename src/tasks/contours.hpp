#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "diffuse/base/random.hpp"
#include "tasks/canvas.hpp"
#include "tasks/paddles.hpp"

namespace diffuse {

/// A contour that grows.
struct Growing {
  std::vector<Pixel> joints;
  Pixel pivot;
  DirectionId direction = 0;
  /// The newest dash enters the mask only with the next one, which begins so close to it.
  Pixel newest_at;
  const Paddle* newest = nullptr;
};

/// Draws the contours of one picture.
class ContourDrawing {
 public:
  ContourDrawing(const PaddleShapes& shapes, Random& random) : shapes_(shapes), random_(random) {}

  Canvas& canvas() { return canvas_; }

  /// Two contours, dash by dash in turns, on an empty canvas. False where one of them gets stuck.
  bool draw_pair(int length, std::array<std::vector<Pixel>, 2>& contours);
  /// A contour that distracts; empty where there is no place for it.
  std::vector<Pixel> draw_distractor(int length);

 private:
  void add_light(Pixel at, const Paddle& paddle, int halves);
  void add_to_mask(const Growing& contour);
  bool fits(Pixel at, const Paddle& paddle) const;
  /// False where head or pivot would lie outside.
  bool begin(Growing& contour, std::size_t degree, Pixel tail, int halves);
  bool begin_anywhere(Growing& contour, const PixelSet& blocked, int halves);
  bool begin_distractor(Growing& contour);
  bool begin_near(Growing& contour, Pixel other);
  bool extend(Growing& contour, int halves);
  std::size_t any_degree() { return static_cast<std::size_t>(random_.below(PaddleShapes::kSeeds)); }
  /// The brightest of the mask at a pixel and its four neighbours.
  int mask_around(Pixel at) const;

  const PaddleShapes& shapes_;
  Random& random_;
  Canvas canvas_{};
};

}  // namespace diffuse
