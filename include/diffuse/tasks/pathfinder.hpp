#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "diffuse/base/random.hpp"

namespace diffuse {

class PaddleShapes;

/// Pathfinder (Linsley et al., "Learning long-range spatial dependencies with horizontal gated
/// recurrent units", NeurIPS 2018) as the Long Range Arena has it: 32 x 32 grey pixels with two
/// dashed contours, shorter ones that distract, and two discs; do these lie on the ends of one
/// contour?

inline constexpr int kPathfinderSide = 32;
inline constexpr int kPathfinderPixels = kPathfinderSide * kPathfinderSide;

/// A pixel: row from the top, column from the left.
struct Pixel {
  int y = 0;
  int x = 0;
  bool operator==(const Pixel&) const = default;
};

/// How a picture is drawn; the defaults are the arena's hard set, the one that is reported.
struct PathfinderRules {
  int contour_length = 14;  ///< dashes of a contour
  int distractor_length = 4;
  int distractors = 5;
};

/// The rules of the arena for contours of so many dashes (6, 9 and 14 are its three sets): the
/// shorter contours have a third of them, and 20 dashes together.
PathfinderRules pathfinder_rules(int contour_length);

/// A picture and what it was made of.
struct PathfinderScene {
  bool connected = false;
  std::array<Pixel, 2> markers{};
  /// The two contours: the end at which each begins, then each dash's further end.
  std::array<std::vector<Pixel>, 2> contours{};
  int marked = 0;  ///< the contour with the first marker on its beginning
  std::vector<std::vector<Pixel>> distractors{};
  std::vector<std::uint8_t> pixels{};  ///< [kPathfinderPixels], row by row
  std::int64_t attempts = 0;           ///< pairs of contours that were begun
};

/// From marker to marker, in pixels, straight.
double marker_distance(const PathfinderScene& scene);
/// The same along the contour; nothing where they are not connected.
std::optional<double> path_length(const PathfinderScene& scene);

/// Draws pictures; what all of them share, the shapes of dashes at every angle, is made once. May
/// be used by several threads.
class PathfinderPainter {
 public:
  PathfinderPainter();
  ~PathfinderPainter();
  PathfinderPainter(const PathfinderPainter&) = delete;
  PathfinderPainter& operator=(const PathfinderPainter&) = delete;

  PathfinderScene draw(const PathfinderRules& rules, Random& random) const;

 private:
  std::unique_ptr<const PaddleShapes> shapes_;
};

}  // namespace diffuse
