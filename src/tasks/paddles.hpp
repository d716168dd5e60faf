#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "diffuse/tasks/pathfinder.hpp"
#include "tasks/lanczos.hpp"

namespace diffuse {

/// The dashes ("paddles") that Pathfinder's contours are made of: lines of two pixels, half a pixel
/// wide, drawn at twice the size and shrunk. Between two of them is a gap of about two pixels.

inline constexpr int kPaddleReach = 4;  ///< pixels on each side of a dash's beginning
inline constexpr int kPaddleSide = 2 * kPaddleReach + 1;

/// A dash as an image around its beginning, [kPaddleSide, kPaddleSide] each, and the pixels that it
/// keeps free of others.
struct Paddle {
  GreyImage line{kPaddleSide};
  GreyImage mask{kPaddleSide};
};

/// A dash that begins a contour, at one of the 360 whole degrees.
struct SeedPaddle {
  Paddle paddle;
  Pixel head;               ///< its further end, from the beginning
  Pixel pivot;              ///< where the contour turns, a pixel behind the beginning
  std::vector<Pixel> keep;  ///< from the beginning: pixels that must be free for it
};

/// Where the next dash of a contour may end, from the point where it turns.
struct NextPaddle {
  Pixel head;
  Paddle paddle;  ///< drawn backwards, from `head`
};

/// A number of a direction: seeds 0 … 359, then those of the next dashes.
using DirectionId = std::size_t;

class PaddleShapes {
 public:
  static constexpr int kSeeds = 360;

  PaddleShapes();

  const SeedPaddle& seed(std::size_t degree) const { return seeds_[degree]; }
  const std::vector<NextPaddle>& next() const { return next_; }
  DirectionId direction_of(std::size_t next) const { return kSeeds + next; }
  /// From a contour's turning point to the following one.
  Pixel step(DirectionId direction) const { return steps_[direction]; }
  /// How likely the contour turns from `direction` to next()[to], in parts of kWeightOne: the
  /// squared cosine of the angle between them, and nothing beyond a right one.
  std::uint64_t weight(DirectionId direction, std::size_t to) const {
    return weights_[direction * next_.size() + to];
  }
  static constexpr std::uint64_t kWeightOne = std::uint64_t{1} << 20;

 private:
  std::vector<SeedPaddle> seeds_;
  std::vector<NextPaddle> next_;
  std::vector<Pixel> steps_;
  std::vector<std::uint64_t> weights_;
};

/// The vector of `length` at an angle (radians; 0: along a row, then downwards), in whole pixels:
/// each part rounded up, as the original does.
Pixel rounded_up(double angle, double length);

Paddle paddle_at(double angle);

/// A disc of radius 1.5 around `centre` as an image of the whole picture, [32, 32].
GreyImage marker_at(Pixel centre);

}  // namespace diffuse
