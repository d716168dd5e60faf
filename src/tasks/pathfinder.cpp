#include "diffuse/tasks/pathfinder.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "tasks/contours.hpp"
#include "tasks/paddles.hpp"

namespace diffuse {
namespace {

constexpr int kMarkerHalves = 2;  ///< brightness in halves: a disc has 1

/// From the darkest pixel to the brightest as 0 to 255.
std::vector<std::uint8_t> to_bytes(const Canvas& canvas) {
  const auto [least, most] = std::ranges::minmax(canvas.light);
  const int range = std::max(1, most - least);
  std::vector<std::uint8_t> pixels;
  pixels.reserve(canvas.light.size());
  for (const std::uint16_t light : canvas.light)
    pixels.push_back(static_cast<std::uint8_t>((2 * 255 * (light - least) + range) / (2 * range)));
  return pixels;
}

double distance(Pixel a, Pixel b) { return std::hypot(a.y - b.y, a.x - b.x); }

}  // namespace

PathfinderRules pathfinder_rules(int contour_length) {
  constexpr int kDashesOfDistractors = 20;
  const int length = std::max(1, contour_length / 3);
  return {.contour_length = contour_length,
          .distractor_length = length,
          .distractors = kDashesOfDistractors / length};
}

PathfinderPainter::PathfinderPainter() : shapes_(std::make_unique<const PaddleShapes>()) {}
PathfinderPainter::~PathfinderPainter() = default;

PathfinderScene PathfinderPainter::draw(const PathfinderRules& rules, Random& random) const {
  PathfinderScene scene;
  scene.connected = random.below(2) == 1;
  ContourDrawing drawing(*shapes_, random);
  do {
    ++scene.attempts;
  } while (!drawing.draw_pair(rules.contour_length, scene.contours));
  for (int i = 0; i < rules.distractors; ++i)
    if (auto joints = drawing.draw_distractor(rules.distractor_length); !joints.empty())
      scene.distractors.push_back(std::move(joints));
  scene.marked = static_cast<int>(random.below(2));
  const int ended = scene.connected ? scene.marked : 1 - scene.marked;
  scene.markers = {scene.contours.at(static_cast<std::size_t>(scene.marked)).front(),
                   scene.contours.at(static_cast<std::size_t>(ended)).back()};
  Canvas& canvas = drawing.canvas();
  for (const Pixel& marker : scene.markers) {
    const GreyImage disc = marker_at(marker);
    for (std::size_t i = 0; i < disc.pixels.size(); ++i)
      canvas.light[i] =
          std::max(canvas.light[i], static_cast<std::uint16_t>(kMarkerHalves * disc.pixels[i]));
  }
  scene.pixels = to_bytes(canvas);
  return scene;
}

double marker_distance(const PathfinderScene& scene) {
  return distance(scene.markers[0], scene.markers[1]);
}

std::optional<double> path_length(const PathfinderScene& scene) {
  if (!scene.connected) return std::nullopt;
  const std::vector<Pixel>& joints = scene.contours.at(static_cast<std::size_t>(scene.marked));
  double length = 0;
  for (std::size_t i = 1; i < joints.size(); ++i) length += distance(joints[i - 1], joints[i]);
  return length;
}

}  // namespace diffuse
